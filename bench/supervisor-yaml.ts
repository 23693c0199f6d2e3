/** The supervisor.yaml of a host, in the form that both supervisors read. */
import { join } from "node:path";

export interface SupervisorYaml {
  readonly endpoint: string;
  /** Holds `local.yaml`, and the storage. */
  readonly directory: string;
  readonly executable: string;
  /** Lines for the `agent` section. */
  readonly agent: readonly string[];
}

export function supervisorYaml({ agent, directory, endpoint, executable }: SupervisorYaml): string {
  return [
    "server:",
    `  endpoint: ${endpoint}`,
    "capabilities:",
    "  accepts_remote_config: true",
    "  reports_remote_config: true",
    "  reports_effective_config: true",
    "  reports_health: true",
    "  reports_own_metrics: false",
    "agent:",
    `  executable: ${executable}`,
    `  config_files: [${join(directory, "local.yaml")}]`,
    ...agent.map((line) => `  ${line}`),
    "storage:",
    `  directory: ${join(directory, "storage")}`,
    "",
  ].join("\n");
}
