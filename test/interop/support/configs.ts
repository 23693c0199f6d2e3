/** Configurations that the tests send, and the supervisor.yaml around them. */

/** The one that the Management page has its readers paste into the example server. */
export const PAGE_YAML = `receivers:
  hostmetrics:
    collection_interval: 10s
    scrapers:
      cpu:

exporters:
  # NOTE: Prior to v0.86.0 use \`logging\` instead of \`debug\`.
  debug:
    verbosity: detailed

service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      exporters: [debug]
`;

/** A small configuration that is valid; the name makes it a different one. */
export function nopPipeline(name: string): string {
  return `receivers:
  nop/${name}:
exporters:
  nop/${name}:
service:
  pipelines:
    logs/${name}:
      receivers: [nop/${name}]
      exporters: [nop/${name}]
`;
}

/** A local layer: the Collector's own metrics off, so that tests do not fight for port 8888. */
export const QUIET_YAML = `service:
  telemetry:
    metrics:
      level: none
`;

export interface SupervisorYaml {
  readonly endpoint: string;
  /** Lines for the `tls` section. */
  readonly tls?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Lines for the `agent` section. */
  readonly agent?: readonly string[];
}

/** The supervisor.yaml of the walkthrough, word for word but for the endpoint. */
export function walkthroughYaml(endpoint: string): string {
  return `server:
  endpoint: ${endpoint}
  tls:
    insecure_skip_verify: true
capabilities:
  accepts_remote_config: true
  reports_effective_config: true
  reports_own_metrics: false
  reports_own_logs: true
  reports_own_traces: false
  reports_health: true
  reports_remote_config: true
agent:
  executable: ./otelcol
storage:
  directory: ./storage
`;
}

/** One for the other tests, with every capability of the main job; needs `quiet.yaml` beside it. */
export function supervisorYaml(options: SupervisorYaml): string {
  const headers = Object.entries(options.headers ?? {});
  return [
    "server:",
    `  endpoint: ${options.endpoint}`,
    ...(headers.length === 0 ? [] : ["  headers:", ...headers.map(([name, value]) => `    ${name}: ${value}`)]),
    ...(options.tls === undefined ? [] : ["  tls:", ...options.tls.map((line) => `    ${line}`)]),
    "capabilities:",
    "  accepts_remote_config: true",
    "  reports_remote_config: true",
    "  reports_effective_config: true",
    "  reports_health: true",
    "  accepts_restart_command: true",
    "  reports_own_metrics: false",
    "agent:",
    "  executable: ./otelcol",
    "  config_files: [quiet.yaml]",
    ...(options.agent ?? []).map((line) => `  ${line}`),
    "storage:",
    "  directory: ./storage",
    "",
  ].join("\n");
}
