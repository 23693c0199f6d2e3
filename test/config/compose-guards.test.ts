/** Whatever a layer says and wherever it stands, the Collector keeps the supervisor's opamp extension, whole and alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { composeConfig } from "../../src/config/compose.js";
import { composeInput, remoteConfig } from "./compose-input.js";

const folder = mkdtempSync(join(tmpdir(), "compose-guards-"));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

interface Collector {
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly service: { readonly extensions: readonly string[]; readonly telemetry: { readonly resource: Readonly<Record<string, string>> } };
}

const HOSTILE: readonly string[] = [
  "extensions: null",
  "service: null",
  "service: {extensions: null}",
  "service: {extensions: []}",
  "service: {extensions: [health_check]}",
  "service::extensions: [opamp, opamp, ' opamp']",
  "service: {telemetry: null}",
  "extensions: {opamp: null}",
  "extensions: {opamp: {server: {http: {endpoint: 'https://elsewhere.example'}}, ppid: 1}}",
  "extensions: {opamp: {server: {ws: {endpoint: 'wss://elsewhere.example', auth: other}}}}",
  'extensions: {" opamp ": {server: {ws: {endpoint: "wss://elsewhere.example"}}}}',
  'extensions: {"op\\u0061mp": {instance_uid: other}}',
  "extensions::opamp::server::ws::endpoint: wss://elsewhere.example",
  "extensions: {'opamp::server::ws::endpoint': wss://elsewhere.example}",
  "extensions: {<<: {opamp: {instance_uid: other}}}",
  "x: [&x {'opamp::server::ws::endpoint': wss://elsewhere.example}]\nextensions: *x",
  "x: &x {opamp: {server: null}}\nextensions: *x",
  "service: {telemetry: {resource: {service.instance.id: other}}}",
  "service: {telemetry: {resource: {service.instance.id: null}}}",
  "service: {telemetry: {resource: {attributes: [{name: service.instance.id, value: other}]}}}",
];

const base = parse((await composeConfig(composeInput({}), signal)).prepared.text) as Collector;

test.each(HOSTILE)("%s", async (hostile) => {
  const file = join(folder, "hostile.yaml");
  writeFileSync(file, hostile);
  for (const order of permutations(["$OWN_TELEMETRY_CONFIG", "$OPAMP_EXTENSION_CONFIG", "$REMOTE_CONFIG", file])) {
    for (const remote of [null, remoteConfig({ "": "processors: {batch: }" }), remoteConfig({ "": hostile })]) {
      const { prepared } = await composeConfig(composeInput({ configFiles: order, remote }), signal);
      const composed = parse(prepared.text) as Collector;
      expect(composed.extensions["opamp"]).toEqual(base.extensions["opamp"]);
      expect(Object.keys(composed.extensions).filter((id) => id.includes("opamp"))).toEqual(["opamp"]);
      expect(composed.service.extensions.filter((id) => id.includes("opamp"))).toEqual(["opamp"]);
      expect(composed.service.telemetry.resource["service.instance.id"]).toBe(base.service.telemetry.resource["service.instance.id"]);
    }
  }
});

test("the extension dials the supervisor with the secret of the start and nothing else", () => {
  expect(base.extensions["opamp"]).toEqual({
    instance_uid: "0190f7a2-86f1-7c3e-9d52-4a1f0c2b7e11",
    server: {
      ws: {
        endpoint: "ws://127.0.0.1:${env:OPAMPSUPERVISOR_EXTENSION_PORT}/v1/opamp",
        headers: { Authorization: "Bearer ${env:OPAMPSUPERVISOR_EXTENSION_SECRET}" },
        tls: { insecure: true },
      },
    },
    ppid: "${env:OPAMPSUPERVISOR_PARENT_PID}",
    ppid_poll_interval: "5s",
    capabilities: { reports_effective_config: true, reports_health: true, reports_available_components: true },
  });
});

describe("a second opamp extension is refused", () => {
  test.each([
    "extensions: {opamp/2: {}}",
    "extensions: {'opamp/ 2': null}",
    "extensions::opamp/2::server: {}",
    "extensions: {' opamp /2': {}}",
    "service: {extensions: [opamp/2]}",
    "service: {extensions: ['opamp/']}",
  ])("%s", async (hostile) => {
    const composing = composeConfig(composeInput({ remote: remoteConfig({ main: hostile }) }), signal);
    await expect(composing).rejects.toThrow(/^remote configuration file "main": (?:service\.)?extensions has a second opamp extension, "opamp\//);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]));
}
