/**
 * From settings to what decisions depend on: the core never sees `supervisor.yaml`.
 */
import type { Settings } from "./config/settings.js";
import type { Policy } from "./core/policy.js";
import { capabilityBits } from "./opamp/capabilities.js";

/** Heartbeat and poll interval as long as the server offers no other (HB-02). */
export const HEARTBEAT_MS = 30_000;

export function policyOf(settings: Settings): Policy {
  const { agent, capabilities } = settings;
  return {
    capabilities: capabilityBits(capabilities),
    acceptsRemoteConfig: capabilities.acceptsRemoteConfig,
    acceptsRestartCommand: capabilities.acceptsRestartCommand,
    applyTimeoutMs: agent.configApplyTimeoutMs,
    // Without a way back there is nothing to prove.
    probationMs: agent.automaticConfigRollback ? agent.configProbationMs : 0,
    rollsBack: agent.automaticConfigRollback,
    hasStartupFallback: agent.startupFallbackConfigs.length > 0,
    bootstrapTimeoutMs: agent.bootstrapTimeoutMs,
    reloadsByHup: agent.useHupConfigReload,
    identifyingAttributes: agent.description.identifyingAttributes,
    nonIdentifyingAttributes: agent.description.nonIdentifyingAttributes,
    heartbeatMs: HEARTBEAT_MS,
  };
}
