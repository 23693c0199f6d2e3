/** What the demo writes into its data folder for the supervisor: supervisor.yaml, and a local layer where it is needed. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface DemoSettings {
  /** Absolute. */
  readonly directory: string;
  readonly endpoint: string;
  readonly caFile: string;
  readonly executable: string;
  /** Where the Collector shows its own metrics; null: where it does by itself, port 8888. */
  readonly metricsPort: number | null;
}

export interface Written {
  readonly settings: string;
  readonly log: string;
  readonly storage: string;
}

export async function writeSettings(demo: DemoSettings): Promise<Written> {
  const inside = (name: string): string => join(demo.directory, name);
  const written: Written = { settings: inside("supervisor.yaml"), log: inside("supervisor.log"), storage: inside("storage") };
  const local = inside("collector.yaml");
  await mkdir(demo.directory, { recursive: true, mode: 0o700 });
  if (demo.metricsPort === null) await rm(local, { force: true });
  else await writeFile(local, localYaml(demo.metricsPort));
  await writeFile(written.settings, supervisorYaml(demo, written, demo.metricsPort === null ? [] : [local]));
  return written;
}

function supervisorYaml(demo: DemoSettings, { log, storage }: Written, configFiles: readonly string[]): string {
  return `# Written by the demo at each start.
server:
  endpoint: ${text(demo.endpoint)}
  tls:
    ca_file: ${text(demo.caFile)}
capabilities:
  accepts_remote_config: true
  accepts_restart_command: true
  reports_effective_config: true
  reports_health: true
  reports_available_components: true
  reports_own_metrics: false
agent:
  executable: ${text(demo.executable)}
  config_files: [${configFiles.map(text).join(", ")}]
storage:
  directory: ${text(storage)}
telemetry:
  logs:
    output_paths: [${text(log)}]
`;
}

function localYaml(port: number): string {
  return `# Written by the demo: port 8888, the Collector's own choice for its metrics, is not free.
service:
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: localhost
                port: ${port}
                without_scope_info: true
                without_type_suffix: true
                without_units: true
`;
}

/** A path may hold what YAML, or the expansion of references, takes for something else. */
function text(value: string): string {
  return JSON.stringify(value.replaceAll("$", "$$$$"));
}
