/** The part of the settings that decisions depend on. It reaches the core as a value, by `settings-loaded`. */
import type { Millis } from "./values.js";

export interface Policy {
  /** Bits of AgentCapabilities that are announced: only what is honoured in full. */
  readonly capabilities: bigint;
  readonly acceptsRemoteConfig: boolean;
  readonly acceptsRestartCommand: boolean;
  /** `agent.config_apply_timeout`: the longest wait for health after a swap. */
  readonly applyTimeoutMs: Millis;
  /** `agent.config_probation`: how long an applied configuration must stay healthy before it is good; 0 = at once. */
  readonly probationMs: Millis;
  /** `agent.bootstrap_timeout`: a Collector whose extension is silent for longer is reported as such. */
  readonly bootstrapTimeoutMs: Millis;
  /** `agent.automatic_config_rollback`: false = what failed stays, and there is no probation. */
  readonly rollsBack: boolean;
  /** `agent.startup_fallback_configs` is not empty. */
  readonly hasStartupFallback: boolean;
  /** `agent.use_hup_config_reload`. */
  readonly reloadsByHup: boolean;
  /** `agent.description.*`: name to value, they override what the Collector says of itself. */
  readonly identifyingAttributes: Readonly<Record<string, string>>;
  readonly nonIdentifyingAttributes: Readonly<Record<string, string>>;
  /** A known status is repeated at most once in this time. */
  readonly heartbeatMs: Millis;
}
