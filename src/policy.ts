/**
 * From settings to what decisions depend on. Announced is only what this version honours in full: own telemetry,
 * connection settings and packages are accepted as keys, not announced, and named in one warning by the settings.
 */
import type { Settings } from "./config/settings.js";
import type { Policy } from "./core/policy.js";
import { AgentCapabilities as Bit } from "./gen/opamp/v1/opamp_pb.js";

/** Heartbeat and poll interval as long as the server offers no other (HB-02). */
export const HEARTBEAT_MS = 30_000;

export function policyOf(settings: Settings): Policy {
  const { agent, capabilities } = settings;
  return {
    capabilities: capabilityBits(capabilities),
    acceptsRemoteConfig: capabilities.acceptsRemoteConfig,
    acceptsRestartCommand: capabilities.acceptsRestartCommand,
    applyTimeoutMs: agent.configApplyTimeoutMs,
    probationMs: agent.configProbationMs,
    bootstrapTimeoutMs: agent.bootstrapTimeoutMs,
    reloadsByHup: agent.useHupConfigReload,
    identifyingAttributes: agent.description.identifyingAttributes,
    nonIdentifyingAttributes: agent.description.nonIdentifyingAttributes,
    heartbeatMs: HEARTBEAT_MS,
  };
}

function capabilityBits(capabilities: Settings["capabilities"]): bigint {
  let bits = Bit.AgentCapabilities_ReportsStatus;
  if (capabilities.acceptsRemoteConfig) {
    bits |= Bit.AgentCapabilities_AcceptsRemoteConfig | Bit.AgentCapabilities_ReportsRemoteConfig;
  }
  if (capabilities.acceptsRestartCommand) bits |= Bit.AgentCapabilities_AcceptsRestartCommand;
  if (capabilities.reportsEffectiveConfig) bits |= Bit.AgentCapabilities_ReportsEffectiveConfig;
  if (capabilities.reportsHealth) bits |= Bit.AgentCapabilities_ReportsHealth;
  if (capabilities.reportsAvailableComponents) bits |= Bit.AgentCapabilities_ReportsAvailableComponents;
  if (capabilities.reportsHeartbeat) bits |= Bit.AgentCapabilities_ReportsHeartbeat;
  return BigInt(bits);
}
