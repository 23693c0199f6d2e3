/**
 * What is announced to the server: only what this version honours in full. Own telemetry and connection settings are
 * accepted as keys, not announced, and named in one warning by the settings.
 */
import type { Settings } from "../config/settings.js";
import { AgentCapabilities as Bit } from "../gen/opamp/v1/opamp_pb.js";

/** Bits of AgentCapabilities. */
export function capabilityBits(capabilities: Settings["capabilities"]): bigint {
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
