/** The startup fallback with the real Collector, as the Go supervisor's own tests have it: which port answers says what runs. */
import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.js";
import { oneFile, startTestServer, type TestServer } from "../support/opamp-server.js";
import { QUIET_YAML, supervisorYaml } from "./support/configs.js";
import { Host } from "./support/host.js";
import { missing, needs } from "./support/needs.js";

const WAIT = { timeout: 10_000, interval: 50 };

let host: Host | null = null;
let server: TestServer | null = null;

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(host?.diagnosis());
  await server?.close();
  await host?.remove();
  server = host = null;
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Serves health on that port; telemetry stays where it is. */
function healthOn(port: number): string {
  return `extensions: {health_check: {endpoint: "127.0.0.1:${port}"}}
receivers: {nop: }
exporters: {nop: }
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [nop], exporters: [nop]}}
`;
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false);
}

interface Ports {
  readonly opamp: number;
  readonly local: number;
  readonly fallback: number;
}

/** @param files what the files hold; null for no fallback */
async function setHost(files: { local?: string; fallback?: string | null } = {}, agent: readonly string[] = []): Promise<{ host: Host; ports: Ports }> {
  const ports = { opamp: await freePort(), local: await freePort(), fallback: await freePort() };
  const made = (host = await Host.create({ path: needs.collector }));
  await made.write("quiet.yaml", QUIET_YAML);
  await made.write("local.yaml", files.local ?? healthOn(ports.local));
  if (files.fallback !== null) await made.write("fallback.yaml", files.fallback ?? healthOn(ports.fallback));
  const fallback = files.fallback === null ? [] : ["startup_fallback_configs: [fallback.yaml]"];
  const yaml = supervisorYaml({ endpoint: `ws://127.0.0.1:${ports.opamp}/v1/opamp`, agent: [...fallback, ...agent] });
  await made.write("supervisor.yaml", yaml.replace("config_files: [quiet.yaml]", "config_files: [local.yaml]"));
  return { host: made, ports };
}

/** As often as it is asked within this time. */
async function never(what: () => Promise<boolean>, ms: number): Promise<void> {
  const end = systemClock.now() + ms;
  while (systemClock.now() < end) {
    expect(await what()).toBe(false);
    await systemClock.sleep(50);
  }
}

describe.skipIf(missing)("the startup fallback", () => {
  it("runs while the server was never reached, without the local files; the first connection ends it for good (E21, E22)", async () => {
    const { host, ports } = await setHost();
    host.start();
    await vi.waitFor(async () => expect(await answers(ports.fallback)).toBe(true), WAIT);
    await never(() => answers(ports.local), 1_000);

    server = await startTestServer({ opampPort: ports.opamp });
    await vi.waitFor(async () => expect(await answers(ports.local)).toBe(true), WAIT);
    expect(await answers(ports.fallback)).toBe(false);
    await server.close();
    server = null;
    await never(async () => !(await answers(ports.local)) || (await answers(ports.fallback)), 2_000);
  }, 40_000);

  it("never runs where a received configuration is known, and the server is found when it comes (E7)", async () => {
    const { host, ports } = await setHost();
    server = await startTestServer({ opampPort: ports.opamp });
    const remote = await freePort();
    const first = host.start();
    const agent = await server.until(() => server?.agent(), "the agent");
    await server.fleet.saveConfig(agent.uid, oneFile(healthOn(remote)));
    await vi.waitFor(async () => expect(await answers(remote)).toBe(true), WAIT);
    await first.end("SIGTERM");
    await server.close();
    server = null;

    host.start();
    await vi.waitFor(async () => expect(await answers(remote)).toBe(true), WAIT);
    await never(() => answers(ports.fallback), 1_000);
    const second = (server = await startTestServer({ opampPort: ports.opamp }));
    await second.until(() => second.agent(), "the agent again");
  }, 40_000);

  it("is not needed: where there is none the local files run alone, and the server is found when it comes (E6)", async () => {
    const { host, ports } = await setHost({ fallback: null });
    const program = host.start();
    await vi.waitFor(async () => expect(await answers(ports.local)).toBe(true), WAIT);
    const arrived = (server = await startTestServer({ opampPort: ports.opamp }));
    const agent = await arrived.until(() => arrived.agent(), "the agent");
    await arrived.until(() => arrived.agent().health?.healthy === true, "its health");
    expect(Buffer.from(agent.effectiveConfig?.configMap?.configMap[""]?.body ?? []).toString()).toContain(`127.0.0.1:${ports.local}`);
    // Nothing was ever received, and what runs went on running.
    expect(agent.remoteConfigStatus?.status ?? 0).toBe(0);
    expect(program.output.match(/Collector starts/g)).toHaveLength(1);
    expect(await answers(ports.local)).toBe(true);
  }, 40_000);

  it("is validated and run with the Collector's arguments (E1)", async () => {
    const { host, ports } = await setHost({}, ["args: [--feature-gates=+service.AllowNoPipelines]"]);
    const program = host.start();
    await vi.waitFor(async () => expect(await answers(ports.fallback)).toBe(true), WAIT);
    await program.end("SIGTERM");
  });

  it("ends the start of a fresh host when the Collector refuses it (E1), and of no other", async () => {
    const broken = "receivers: {doesntexist: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [doesntexist], exporters: [nop]}}}\n";
    const { host, ports } = await setHost({ fallback: broken });
    const first = host.start();
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(first.output).toContain("could not validate startup fallback configs with agent::executable");
    expect(first.output).toContain("doesntexist");

    await host.write("fallback.yaml", healthOn(ports.fallback));
    const second = host.start();
    await vi.waitFor(async () => expect(await answers(ports.fallback)).toBe(true), WAIT);
    await second.end("SIGTERM");
    await host.write("fallback.yaml", broken);
    const third = host.start();
    await vi.waitFor(async () => expect(await answers(ports.local)).toBe(true), WAIT);
    await vi.waitFor(() => expect(third.output).toContain("Startup fallback would not run when it is needed"), WAIT);
  }, 40_000);
});
