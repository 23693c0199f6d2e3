/** Logged messages as JSON, and in one line for people. */
import { AgentToServerSchema, ServerToAgentSchema, type AgentToServer, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import { bitNames, BITS_OF_FIELD } from "./bits.js";
import type { LoggedMessage } from "./message-log.js";
import { readable } from "./readable.js";

export function messageView(logged: LoggedMessage): Record<string, unknown> {
  const { number, at, bytes, direction } = logged;
  if (direction === "misbehaved") return { number, at, bytes, direction, summary: `bad mode: ${logged.what}`, sequence: null, content: null };
  if (direction === "sent") {
    const content = readable(logged.message, ServerToAgentSchema);
    return { number, at, bytes, direction, sequence: null, summary: summaryOfSent(logged.message), content };
  }
  const content = readable(logged.message, AgentToServerSchema);
  return { number, at, bytes, direction, sequence: Number(logged.message.sequenceNum), summary: summaryOfReceived(logged.message), content };
}

export function summaryOfReceived(message: AgentToServer): string {
  const words: string[] = [];
  if (message.agentDescription !== undefined) words.push("description");
  if (message.health !== undefined) words.push(message.health.healthy ? "healthy" : "not healthy");
  if (message.effectiveConfig !== undefined) words.push("effective configuration");
  const status = message.remoteConfigStatus;
  if (status !== undefined) words.push(`remote configuration ${["UNSET", "APPLIED", "APPLYING", "FAILED"][status.status] ?? String(status.status)}`);
  if (message.packageStatuses !== undefined) words.push("packages");
  if (message.connectionSettingsStatus !== undefined) words.push("connection settings");
  const components = message.availableComponents;
  if (components !== undefined) words.push(Object.keys(components.components).length > 0 ? "components" : "hash of components");
  if (message.customCapabilities !== undefined) words.push("custom capabilities");
  if (message.customMessage !== undefined) words.push(`custom message ${message.customMessage.type}`);
  if (message.connectionSettingsRequest !== undefined) words.push("asks for connection settings");
  if (message.agentDisconnect !== undefined) words.push("goodbye");
  words.push(...flagNames("AgentToServer", message.flags));
  return words.length === 0 ? "heartbeat" : words.join(", ");
}

export function summaryOfSent(message: ServerToAgent): string {
  const words: string[] = [];
  if (message.errorResponse !== undefined) words.push(`error: ${message.errorResponse.errorMessage}`);
  if (message.remoteConfig !== undefined) words.push("remote configuration");
  if (message.connectionSettings !== undefined) words.push("connection settings");
  if (message.packagesAvailable !== undefined) words.push("packages");
  if (message.agentIdentification !== undefined) words.push("new identity");
  if (message.command !== undefined) words.push("restart");
  if (message.customMessage !== undefined) words.push(`custom message ${message.customMessage.type}`);
  words.push(...flagNames("ServerToAgent", message.flags));
  return words.length === 0 ? "acknowledged" : words.join(", ");
}

function flagNames(messageName: string, flags: bigint): string[] {
  const bits = BITS_OF_FIELD.get(`opamp.proto.v1.${messageName}.flags`);
  return bits === undefined ? [] : bitNames(flags, bits);
}
