/** The `service` section: extensions, pipelines, and the Collector's own telemetry. */
import { decodeRoot } from "./decode.js";
import { checkPipelineId } from "./identifier.js";
import { any, bool, duration, int, list, mapOf, object, text, type ObjectSchema } from "./schema.js";
import { kindName, plain, typeName, type ConfigMap, type ConfigValue } from "./value.js";

export interface PipelineConfig {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export interface ServiceConfig {
  readonly extensions: readonly string[];
  /** Whether the key is there at all; it is shown only then. */
  readonly extensionsGiven: boolean;
  readonly pipelines: ReadonlyMap<string, PipelineConfig>;
  readonly logs: ConfigMap;
  readonly metrics: ConfigMap;
  /** null where the key is missing. */
  readonly resource: ConfigMap | null;
  /** Given to the real one's tracing; shown and ignored here. */
  readonly traces: ConfigMap | null;
}

export function decodeService(value: ConfigValue, mistakes: string[]): ServiceConfig {
  const bare = plain(value);
  if (bare !== null && !(bare instanceof Map)) mistakes.push(`'service' expected a map or struct, got "${kindName(bare)}"`);
  const map = bare instanceof Map ? bare : new Map<string, ConfigValue>();
  const telemetry = plain(map.get("telemetry") ?? null);
  const telemetryMap = telemetry instanceof Map ? telemetry : new Map<string, ConfigValue>();
  const logs = part(LOGS, telemetryMap.get("logs") ?? null, "service.telemetry.logs", mistakes);
  const metrics = part(METRICS, telemetryMap.get("metrics") ?? null, "service.telemetry.metrics", mistakes);
  const resource = resourceOf(telemetryMap.get("resource") ?? null, mistakes);
  unknownKeys("service.telemetry", telemetryMap, ["logs", "metrics", "traces", "resource"], mistakes);
  const extensions = names(map.get("extensions") ?? null, "service.extensions", mistakes);
  const pipelines = pipelinesOf(map.get("pipelines") ?? null, mistakes);
  unknownKeys("service", map, ["telemetry", "extensions", "pipelines"], mistakes);
  const traces = plain(telemetryMap.get("traces") ?? null);
  const extensionsGiven = plain(map.get("extensions") ?? null) !== null;
  return { extensions, extensionsGiven, pipelines, logs, metrics, resource, traces: traces instanceof Map ? traces : null };
}

const LEVELS: ReadonlyMap<string, string> = new Map(
  ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"].flatMap((level) => [[level, level] as const, [level.toUpperCase(), level] as const]),
);
const METRIC_LEVELS = ["none", "basic", "normal", "detailed"];
const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();

const LOGS = object("migration.LogsConfigV030", {
  level: {
    is: "string",
    fallback: "info",
    check: (level) => (level === "" || LEVELS.has(level) ? null : `unrecognized level: ${JSON.stringify(level)}`),
    write: (level) => LEVELS.get(level) ?? "info",
  },
  development: bool(),
  encoding: text("console"),
  disable_caller: bool(),
  disable_stacktrace: bool(),
  sampling: object("migration.LogsSamplingConfig", { enabled: bool(true), tick: duration("10s"), initial: int("int", 10), thereafter: int("int", 100) }),
  output_paths: list(text(), ["stderr"]),
  error_output_paths: list(text(), ["stderr"]),
  initial_fields: mapOf(any(), undefined),
  processors: any(),
  disable_zap_resource: bool(),
});

const DEFAULT_READERS: ConfigValue[] = [
  nested(["pull", "exporter", "prometheus"], new Map<string, ConfigValue>([["host", "localhost"], ["port", 8888n], ["without_scope_info", true], ["without_type_suffix", true], ["without_units", true]])),
];

const METRICS = object("migration.MetricsConfigV030", {
  level: {
    is: "string",
    fallback: "Normal",
    check: (level) => (METRIC_LEVELS.includes(level.toLowerCase()) ? null : `unknown metrics level ${JSON.stringify(level)}`),
    write: capital,
  },
  readers: list(any(), DEFAULT_READERS),
  views: any(),
});

function nested(path: readonly string[], value: ConfigValue): ConfigValue {
  return path.reduceRight<ConfigValue>((inner, name) => new Map([[name, inner]]), value);
}

function part(schema: ObjectSchema, value: ConfigValue, path: string, mistakes: string[]): ConfigMap {
  const decoded = decodeRoot(schema, value, false);
  if (decoded.error !== null) mistakes.push(`'${path}' ${decoded.error}`);
  return decoded.value;
}

function resourceOf(value: ConfigValue, mistakes: string[]): ConfigMap | null {
  const bare = plain(value);
  if (bare === null) return null;
  const path = "service.telemetry.resource";
  if (!(bare instanceof Map)) {
    mistakes.push(`'${path}' expected a map or struct, got "${kindName(bare)}"`);
    return null;
  }
  const inner: ConfigMap = new Map();
  for (const [key, item] of bare) {
    const decoded = decodeRoot(object("", { it: text(null) }), new Map([["it", item]]), false);
    if (decoded.error === null) inner.set(key, decoded.value.get("it") ?? null);
    else mistakes.push(`'${path}[${key}]' expected type 'string', got unconvertible type '${typeName(item)}'`);
  }
  return inner;
}

function names(value: ConfigValue, path: string, mistakes: string[]): readonly string[] {
  const bare = plain(value);
  if (bare === null) return [];
  if (!Array.isArray(bare)) {
    mistakes.push(`'${path}' source data must be an array or slice, got ${kindName(bare)}`);
    return [];
  }
  return bare.map((item) => {
    const name = plain(item);
    return typeof name === "string" ? name : "";
  });
}

function pipelinesOf(value: ConfigValue, mistakes: string[]): ReadonlyMap<string, PipelineConfig> {
  const pipelines = new Map<string, PipelineConfig>();
  const bare = plain(value);
  if (bare === null) return pipelines;
  if (!(bare instanceof Map)) {
    mistakes.push(`'service.pipelines' expected type 'pipelines.Config', got unconvertible type '${typeName(bare)}'`);
    return pipelines;
  }
  for (const [id, item] of bare) {
    const badId = checkPipelineId(id);
    if (badId !== null) mistakes.push(`'service.pipelines' ${badId}`);
    const path = `service.pipelines[${id}]`;
    const content = plain(item);
    if (content !== null && !(content instanceof Map)) {
      mistakes.push(`'${path}' expected a map or struct, got "${kindName(content)}"`);
      continue;
    }
    const map = content ?? new Map<string, ConfigValue>();
    const list = (name: string): readonly string[] => names(map.get(name) ?? null, `${path}.${name}`, mistakes);
    pipelines.set(id, { receivers: list("receivers"), processors: list("processors"), exporters: list("exporters") });
    unknownKeys(path, map, ["receivers", "processors", "exporters"], mistakes);
  }
  return pipelines;
}

function unknownKeys(path: string, map: ConfigMap, known: readonly string[], mistakes: string[]): void {
  const unknown = [...map.keys()].filter((key) => !known.includes(key)).sort();
  if (unknown.length > 0) mistakes.push(`'${path}' has invalid keys: ${unknown.join(", ")}`);
}

