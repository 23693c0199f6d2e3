/**
 * What a ServerToAgent asks for, in the words of the core. Parts that belong to a capability that is not announced are
 * ignored (CAP-05), unknown values too; the caller has dealt with `instance_uid`, `capabilities` and `error_response`.
 */
import type { Event } from "../core/event.js";
import type { RemoteConfig, RemoteFile } from "../core/values.js";
import {
  AgentCapabilities as Bit,
  CommandType,
  ServerToAgentFlags,
  type AgentConfigMap,
  type AgentConfigObject,
  type AgentRemoteConfig,
  type ServerToAgent,
} from "../gen/opamp/v1/opamp_pb.js";
import { uidFromBytes } from "./uid.js";

export interface ServerWishes {
  /** In the order in which they have to be observed: a new identity comes first (AMB-27). */
  readonly events: readonly Event[];
  readonly fullState: boolean;
  readonly components: boolean;
  /** What was sent although it cannot be honoured: names for a warning. */
  readonly ignored: readonly string[];
}

/** @param capabilities bits of AgentCapabilities that are announced. */
export function readServerMessage(message: ServerToAgent, instanceUid: string, capabilities: bigint): ServerWishes {
  const can = (bit: Bit): boolean => (capabilities & BigInt(bit)) !== 0n;
  const ignored: string[] = [];
  if (message.command !== undefined) {
    if (can(Bit.AgentCapabilities_AcceptsRestartCommand)) return readCommand(message.command.type);
    ignored.push("command");
  }
  const events: Event[] = [];
  const assigned = readIdentity(message, instanceUid, ignored);
  if (assigned !== null) events.push({ is: "identity-assigned", instanceUid: assigned });
  if (message.remoteConfig !== undefined) {
    const config = can(Bit.AgentCapabilities_AcceptsRemoteConfig) ? readRemoteConfig(message.remoteConfig, ignored) : null;
    if (config !== null) events.push({ is: "remote-config-offered", config });
    if (!can(Bit.AgentCapabilities_AcceptsRemoteConfig)) ignored.push("remote_config");
  }
  if (message.connectionSettings !== undefined) ignored.push("connection_settings");
  if (message.packagesAvailable !== undefined) ignored.push("packages_available");
  if (message.customMessage !== undefined) ignored.push("custom_message");
  const asks = (flag: ServerToAgentFlags): boolean => (message.flags & BigInt(flag)) !== 0n;
  return {
    events,
    fullState: asks(ServerToAgentFlags.ServerToAgentFlags_ReportFullState),
    components:
      asks(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents) &&
      can(Bit.AgentCapabilities_ReportsAvailableComponents),
    ignored,
  };
}

/** A hash is echoed, logged and stored with every status; no server needs more than this. */
const HASH_BYTES_MAX = 1_024;

/** A number, since the enum is open: one that this version has no name for may arrive. */
const RESTART: number = CommandType.CommandType_Restart;

/** With a command all other fields are ignored (CM-01); a command type of the future is ignored as well (CM-06). */
function readCommand(type: number): ServerWishes {
  const known = type === RESTART;
  const nothing = { fullState: false, components: false };
  return known
    ? { events: [{ is: "restart-commanded" }], ignored: [], ...nothing }
    : { events: [], ignored: [`command type ${type}`], ...nothing };
}

function readIdentity(message: ServerToAgent, instanceUid: string, ignored: string[]): string | null {
  if (message.agentIdentification === undefined) return null;
  const assigned = uidFromBytes(message.agentIdentification.newInstanceUid);
  if (assigned === null) ignored.push("agent_identification (new_instance_uid is not 16 bytes, or all zero)");
  return assigned === instanceUid ? null : assigned;
}

/** Null: `config` is not set, which means unchanged (RC-11); an empty map is a configuration. */
function readRemoteConfig(offer: AgentRemoteConfig, ignored: string[]): RemoteConfig | null {
  if (offer.config === undefined) return null;
  if (offer.configHash.length > HASH_BYTES_MAX) {
    ignored.push(`remote_config (its config_hash of ${offer.configHash.length} bytes is longer than ${HASH_BYTES_MAX})`);
    return null;
  }
  return { hash: Buffer.from(offer.configHash).toString("hex"), files: readFiles(offer.config) };
}

function readFiles({ configMap }: AgentConfigMap): RemoteFile[] {
  const files = Object.entries(configMap).map(([name, object]) => readFile(name, object));
  // The decoder assigns keys to a plain object: a file of this name became its prototype instead of being listed.
  const prototype = Object.getPrototypeOf(configMap) as AgentConfigObject | typeof Object.prototype | null;
  if (prototype !== null && "body" in prototype) files.push(readFile("__proto__", prototype));
  return files;
}

/** The body is copied: as a view it would keep the whole received message in memory. */
function readFile(name: string, { body, contentType, role }: AgentConfigObject): RemoteFile {
  return { name, body: body.slice(), contentType, role };
}
