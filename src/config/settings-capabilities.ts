/** `capabilities`: what the server is offered. What this version does not honour yet is named in one warning. */
import type { CapabilitySettings } from "./settings.js";
import type { Section } from "./settings-section.js";

export function readCapabilities(section: Section): CapabilitySettings {
  const settings: CapabilitySettings = {
    acceptsRemoteConfig: section.boolean("accepts_remote_config", false),
    reportsRemoteConfig: section.boolean("reports_remote_config", false),
    acceptsRestartCommand: section.boolean("accepts_restart_command", false),
    acceptsOpampConnectionSettings: section.boolean("accepts_opamp_connection_settings", false),
    reportsEffectiveConfig: section.boolean("reports_effective_config", true),
    reportsOwnMetrics: section.boolean("reports_own_metrics", true),
    reportsOwnLogs: section.boolean("reports_own_logs", false),
    reportsOwnTraces: section.boolean("reports_own_traces", false),
    reportsHealth: section.boolean("reports_health", true),
    reportsAvailableComponents: section.boolean("reports_available_components", false),
    reportsHeartbeat: section.boolean("reports_heartbeat", true),
  };
  if (section.boolean("accepts_packages", false)) {
    section.error("accepts_packages", "accepts_packages capability is not yet fully implemented; set it to false or remove it");
  }
  warnOfUnhonoured(section);
  if (settings.reportsRemoteConfig && !settings.acceptsRemoteConfig) {
    section.warn("reports_remote_config", "deprecated and without effect; accepts_remote_config: true is what accepts configurations and reports on them");
  }
  return settings;
}

const UNHONOURED = ["accepts_opamp_connection_settings", "reports_own_metrics", "reports_own_logs", "reports_own_traces"];

function warnOfUnhonoured(section: Section): void {
  // Only what the user wrote: `reports_own_metrics` is true by default and asks for nothing by itself.
  const asked = UNHONOURED.filter((key) => section.find(key) !== null && section.boolean(key, false));
  const first = asked[0];
  if (first === undefined) return;
  section.warn(first, `not honoured by this version and not announced to the server: ${asked.join(", ")}`);
}
