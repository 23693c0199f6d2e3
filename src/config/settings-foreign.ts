/**
 * Keys that other versions know and this one does not honour, so that nobody is told "unknown key" about a line that the
 * Go supervisor takes. An error where being ignored would be dangerous or change what the user relies on; a warning
 * where the default covers it or nothing depends on it.
 */
export interface ForeignKey {
  readonly is: "error" | "warning";
  readonly text: string;
}

export function foreignKey(path: string): ForeignKey | null {
  return FOREIGN_KEYS.get(path) ?? null;
}

/** Names that may follow `path` in the table: "" has `extensions`, `telemetry` has `metrics`. */
export function foreignChildren(path: string): readonly string[] {
  const prefix = path === "" ? "" : `${path}.`;
  const names = new Set<string>();
  for (const key of FOREIGN_KEYS.keys()) {
    if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split(".")[0] ?? "");
  }
  return [...names];
}

function error(remedy: string): ForeignKey {
  return { is: "error", text: `known to the Go supervisor, not supported by this version; ${remedy}` };
}

function warning(reason: string): ForeignKey {
  return { is: "warning", text: `known to the Go supervisor, ignored by this version: ${reason}` };
}

function removed(text: string): ForeignKey {
  return { is: "error", text };
}

const NO_EXPORT = "the supervisor exports no telemetry of its own yet, remove it";
const PLAIN_HEALTHCHECK = "the health check answers a plain GET without a body";
const FALLBACK = removed("never in a released Go supervisor; write agent.startup_fallback_configs");
const SOCKET = error("remove it: the Collector connects to 127.0.0.1 with a secret made for each start, see agent.opamp_server_port");

const FOREIGN_KEYS: ReadonlyMap<string, ForeignKey> = new Map([
  ["server.auth", error('put the credentials into server.headers, e.g. Authorization: "Bearer ${env:TOKEN}"')],
  ["extensions", error('put the credentials of the server into server.headers, e.g. Authorization: "Bearer ${env:TOKEN}"')],
  ["agent.fallback_configs", FALLBACK],
  ["agent.initial_fallback_configs", FALLBACK],
  ["agent.fallback_startup_timeout", removed("never in a released Go supervisor; remove it, a startup fallback runs at once")],
  ["agent.fallback_runtime_timeout", removed("never in a released Go supervisor; remove it, losing the server never ends what runs")],
  ["agent.opamp_server_socket", SOCKET],
  ["agent.opamp_server_socket_mode", SOCKET],
  ["agent.package", warning("packages are not installed by this version")],
  ["agent.health_check_port", removed("removed from the Go supervisor in 2025; delete it, health comes from the Collector's opamp extension")],
  ["agent.run_as", removed("never implemented in any supervisor; delete it and set the user in the service manager, e.g. User= of systemd")],
  ["agent.access_dirs", removed("never implemented in any supervisor; delete it and set access in the service manager, e.g. ReadWritePaths= of systemd")],
  ["capabilities.reports_package_statuses", removed("removed from the Go supervisor in 2026; delete it")],
  ["telemetry.logs.processors", error("remove it and let a Collector read the files of telemetry.logs.output_paths")],
  ["telemetry.metrics.readers", error(NO_EXPORT)],
  ["telemetry.metrics.level", warning("no metrics of the supervisor itself are exported yet")],
  ["telemetry.traces.processors", error(NO_EXPORT)],
  ["telemetry.traces.level", warning("the Go supervisor ignores it too")],
  ["telemetry.traces.propagators", warning("the Go supervisor ignores it too")],
  ["telemetry.traces.sampler", warning("the Go supervisor ignores it too")],
  ["telemetry.traces.limits", warning("the Go supervisor ignores it too")],
  ["telemetry.resource", warning("it describes exported telemetry of the supervisor, and there is none yet")],
  ["healthcheck.tls", error("the health check speaks plain HTTP here; bind it to localhost, or put a proxy in front, and remove it")],
  ["healthcheck.auth", error("the Go supervisor does not start with it either; remove it")],
  ["healthcheck.middlewares", error("the Go supervisor does not start with it either; remove it")],
  ["healthcheck.cors", warning("no cross-origin headers are sent")],
  ["healthcheck.response_headers", warning("no extra headers are sent")],
  ["healthcheck.dialer", warning("it has no effect on a listener")],
  ["healthcheck.max_request_body_size", warning(PLAIN_HEALTHCHECK)],
  ["healthcheck.include_metadata", warning(PLAIN_HEALTHCHECK)],
  ["healthcheck.compression_algorithms", warning(PLAIN_HEALTHCHECK)],
  ["healthcheck.read_timeout", warning("the time limits are fixed")],
  ["healthcheck.read_header_timeout", warning("the time limits are fixed")],
  ["healthcheck.write_timeout", warning("the time limits are fixed")],
  ["healthcheck.idle_timeout", warning("the time limits are fixed")],
  ["healthcheck.keep_alives_enabled", warning("connections are kept alive")],
]);
