/** The `opamp` extension. As in the real build, `ppid` is accepted and does not end the process. */
import { availableComponents, describe, failingTree, healthTree, type Health, type Resource } from "./opamp-report.js";
import { OpampClient, type ClientNews, type Content, type Part as Told } from "./opamp-client.js";
import type { Target } from "./opamp-socket.js";
import { systemClock } from "../../src/lib/clock.js";
import type { CollectorConfig } from "./decode-config.js";
import type { Part } from "./extension.js";
import { componentLog } from "./extension.js";
import type { Faults } from "./faults.js";
import type { CollectorLogger } from "./logger.js";
import { resolvedYaml } from "./resolved-config.js";
import type { ConfigMap } from "./value.js";
import { isOn, mapAt, textAt, textOf } from "./settings.js";

export interface OpampExtension extends Part {
  /** Reports a failing component with this text, or health again with null. */
  setFailure(error: string | null): void;
}

export interface OpampRequest {
  readonly id: string;
  readonly config: CollectorConfig;
  readonly resource: Resource;
  readonly logger: CollectorLogger;
  readonly faults: Faults | null;
}

const BIT = { status: 1n, config: 4n, health: 2048n, components: 16_384n };

export function opampExtension(request: OpampRequest): OpampExtension {
  const { id, config, faults } = request;
  const settings = config.extensions.get(id) ?? new Map<string, never>();
  const log = componentLog(request.logger, id, "extension");
  let health: Health = { healthy: false };
  let startedAt = 0n;
  let uid = uidBytes(textAt(settings, "instance_uid") || (request.resource["service.instance.id"] ?? ""));
  const uidText = uuidText(uid);
  const capable = flags(settings);
  const content = (parts: ReadonlySet<Told>, full: boolean): Content => ({
    instanceUid: uid,
    capabilities: capable.bits,
    ...(parts.has("description") ? { agentDescription: describe(uidText, request.resource, attributes(settings), includeResource(settings)) } : {}),
    ...(parts.has("health") && capable.health ? { health } : {}),
    ...(parts.has("config") && capable.config ? { effectiveConfig: effectiveConfig(config) } : {}),
    ...(parts.has("components") && capable.components ? { availableComponents: availableComponents(full) } : {}),
    ...(parts.has("remote") ? { remoteConfigStatus: {}, packageStatuses: {} } : {}),
    ...(parts.has("disconnect") ? { agentDisconnect: {} } : {}),
  });
  const say = (news: ClientNews): void => announce(news, id, request.logger);
  const client = new OpampClient({ target: targetOf(settings), content, say, onNewUid: (given) => (uid = given) });
  const tell = (next: Health): void => {
    health = next;
    client.tell("health");
  };
  let running: Promise<void> = Promise.resolve();
  return {
    id,
    start() {
      if (targetOf(settings).endpoint === "") log("warn", "Stand-in connects by WebSocket only");
      else if (faults?.neverConnect !== true) running = client.run();
      return Promise.resolve(null);
    },
    ready() {
      startedAt = systemClock.unixNano();
      if (faults?.bareHealthy === true) {
        for (const step of [{ healthy: true }, healthTree(config, "StatusStarting", null)]) {
          tell(step);
          client.flush();
        }
      }
      tell(healthTree(config, "StatusOK", startedAt));
    },
    async notReady() {
      tell({ healthy: false });
      client.flush();
      await Promise.resolve();
      tell(healthTree(config, "StatusStopping", null));
      client.flush();
    },
    setFailure(error) {
      tell(error === null ? healthTree(config, "StatusOK", startedAt) : failingTree(config, startedAt, error));
    },
    async stop() {
      await client.stop();
      await running;
      log("info", "discarding event received after shutdown", { source: {}, event: {} });
    },
  };
}

/** Every failed attempt is told twice by its callback and once by the client, as in the real one. */
function announce(news: ClientNews, id: string, logger: CollectorLogger): void {
  const log = componentLog(logger, id, "extension");
  const fields = { "otelcol.component.id": id, "otelcol.component.kind": "extension" };
  if (news.is === "connected") log("debug", "Connected to the OpAMP server");
  else if (news.is === "broken") logger.errorWithStack("opamp", `Unexpected error while receiving: ${news.error}`, { ...fields, client: "ws" });
  else {
    for (let times = 0; times < 2; times++) logger.errorWithStack("opamp", "Failed to connect to the OpAMP server", { ...fields, error: news.error });
    logger.errorWithStack("opamp", `Connection failed (${news.error}), will retry.`, { ...fields, client: "ws" });
  }
}

function effectiveConfig(config: CollectorConfig): NonNullable<Content["effectiveConfig"]> {
  const body = Buffer.from(resolvedYaml(config));
  return { configMap: { configMap: { "": { body, contentType: "text/yaml" } } } };
}

function flags(settings: ConfigMap): { readonly bits: bigint; readonly config: boolean; readonly health: boolean; readonly components: boolean } {
  const capabilities = mapAt(settings, "capabilities");
  const on = (name: string): boolean => isOn(capabilities, name);
  const config = on("reports_effective_config");
  const health = on("reports_health");
  const components = on("reports_available_components");
  const bits = BIT.status | (config ? BIT.config : 0n) | (health ? BIT.health : 0n) | (components ? BIT.components : 0n);
  return { bits, config, health, components };
}

function targetOf(settings: ConfigMap): Target {
  const ws = mapAt(mapAt(settings, "server"), "ws");
  const tls = mapAt(ws, "tls");
  return {
    endpoint: textAt(ws, "endpoint"),
    headers: record(mapAt(ws, "headers")),
    caFile: textAt(tls, "ca_file") || null,
    skipVerify: isOn(tls, "insecure_skip_verify"),
  };
}

function attributes(settings: ConfigMap): Resource {
  return record(mapAt(mapAt(settings, "agent_description"), "non_identifying_attributes"));
}

function includeResource(settings: ConfigMap): boolean {
  return isOn(mapAt(settings, "agent_description"), "include_resource_attributes");
}

const ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Sixteen bytes of a UUID or a ULID. */
function uidBytes(written: string): Uint8Array {
  const hex = written.replaceAll("-", "");
  if (/^[0-9a-f]{32}$/i.test(hex)) return Buffer.from(hex, "hex");
  const value = Array.from(written.toUpperCase()).reduce((sum, digit) => sum * 32n + BigInt(Math.max(0, ULID_DIGITS.indexOf(digit))), 0n);
  return Buffer.from((value & ((1n << 128n) - 1n)).toString(16).padStart(32, "0"), "hex");
}

function uuidText(uid: Uint8Array): string {
  return Buffer.from(uid).toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function record(map: ConfigMap): Record<string, string> {
  return Object.fromEntries([...map].map(([key, value]) => [key, textOf(value)]));
}
