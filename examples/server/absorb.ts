/** Takes a message of an agent into what is known of it, and says which parts changed. */
import { AgentCapabilities, RemoteConfigStatusesSchema, type AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import { note, type Agent } from "./agent.js";
import { has, valueName } from "./bits.js";
import { hex } from "./readable.js";

export type Part =
  | "link"
  | "capabilities"
  | "description"
  | "health"
  | "effectiveConfig"
  | "remoteConfig"
  | "components"
  | "packages"
  | "connectionSettings"
  | "custom"
  | "notes"
  | "messages";

const STATUSES_MAX = 50;

export function absorb(agent: Agent, message: AgentToServer, nowMs: number): Part[] {
  const parts: Part[] = ["messages"];
  agent.lastSeenAt = nowMs;
  noticeGap(agent, message, nowMs);
  agent.sequence = message.sequenceNum;
  // Polls of some agents set the instance uid alone, so 0 is "not said" and not "none".
  if (message.capabilities !== 0n && message.capabilities !== agent.capabilities) {
    agent.capabilities = message.capabilities;
    parts.push("capabilities");
  }
  if (message.agentDescription !== undefined) {
    agent.description = message.agentDescription;
    parts.push("description");
  }
  if (message.health !== undefined) {
    agent.health = message.health;
    parts.push("health");
  }
  if (message.effectiveConfig !== undefined) {
    agent.effectiveConfig = message.effectiveConfig;
    agent.effectiveConfigAt = nowMs;
    parts.push("effectiveConfig");
  }
  return [...parts, ...absorbStatuses(agent, message, nowMs), ...absorbComponents(agent, message)];
}

function absorbStatuses(agent: Agent, message: AgentToServer, nowMs: number): Part[] {
  const parts: Part[] = [];
  if (message.remoteConfigStatus !== undefined) {
    agent.remoteConfigStatus = message.remoteConfigStatus;
    recordStatus(agent, nowMs);
    parts.push("remoteConfig");
  }
  if (message.packageStatuses !== undefined) {
    agent.packageStatuses = message.packageStatuses;
    parts.push("packages");
  }
  if (message.connectionSettingsStatus !== undefined) {
    agent.connectionSettingsStatus = message.connectionSettingsStatus;
    parts.push("connectionSettings");
  }
  if (message.customCapabilities !== undefined) {
    agent.customCapabilities = message.customCapabilities;
    parts.push("custom");
  }
  return parts;
}

/** The hash alone comes first; a map without components under the hash that we know does not take ours away. */
function absorbComponents(agent: Agent, message: AgentToServer): Part[] {
  const components = message.availableComponents;
  if (components === undefined) return [];
  const hash = hex(components.hash);
  const isFull = Object.keys(components.components).length > 0;
  if (hash !== agent.componentsHash) agent.componentsAsks = 0;
  if (isFull) agent.components = components;
  else if (hash !== agent.componentsHash) agent.components = null;
  agent.componentsHash = hash;
  return ["components"];
}

/**
 * A hole in the sequence means that something was lost, and everything may be outdated. The same number again is a
 * repeated message; 0 with a description is a new life of the agent, complete by itself.
 */
function noticeGap(agent: Agent, message: AgentToServer, nowMs: number): void {
  const number = message.sequenceNum;
  const isNewLife = number === 0n && message.agentDescription !== undefined;
  if (agent.sequence === null) {
    agent.needsFullState = !isNewLife && lacksPromised(message);
  } else if (isNewLife) {
    agent.needsFullState = false;
  } else if (number !== agent.sequence && number !== agent.sequence + 1n) {
    agent.needsFullState = true;
    agent.fullStateAsks = 0;
    note(agent, nowMs, `sequence number ${number} follows ${agent.sequence}: asked for the full state`);
  } else if (message.agentDescription !== undefined && agent.fullStateAsks > 0) {
    agent.needsFullState = false;
    agent.fullStateAsks = 0;
  }
}

/** On first contact: is this the whole state, or did the agent leave out what an earlier server knew? */
function lacksPromised(message: AgentToServer): boolean {
  const promised = (bit: AgentCapabilities, part: unknown): boolean => has(message.capabilities, bit) && part === undefined;
  return (
    message.agentDescription === undefined ||
    promised(AgentCapabilities.AgentCapabilities_ReportsHealth, message.health) ||
    promised(AgentCapabilities.AgentCapabilities_ReportsEffectiveConfig, message.effectiveConfig) ||
    promised(AgentCapabilities.AgentCapabilities_ReportsRemoteConfig, message.remoteConfigStatus)
  );
}

/** Keeps the course of the current offer: how long each step took is what people ask first. */
function recordStatus(agent: Agent, nowMs: number): void {
  const { offer, remoteConfigStatus: said } = agent;
  if (offer === null || said === null || hex(said.lastRemoteConfigHash) !== hex(offer.config.hash)) return;
  const status = valueName(said.status, RemoteConfigStatusesSchema);
  const last = offer.statuses.at(-1);
  if (last?.status === status && last.error === said.errorMessage) return;
  offer.statuses.push({ at: nowMs, status, error: said.errorMessage });
  if (offer.statuses.length > STATUSES_MAX) offer.statuses.shift();
}
