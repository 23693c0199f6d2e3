/** The rules that hold between keys and between sections, in the order and with the words of the Collector. */
import { findType } from "./catalog.js";
import { checkComponents } from "./check-components.js";
import type { CollectorConfig } from "./decode-config.js";
import type { PipelineConfig } from "./decode-service.js";
import { ALLOW_NO_PIPELINES, PROFILES_SUPPORT } from "./gates.js";
import { plain } from "./value.js";
import { textOf } from "./settings.js";

/** All mistakes, one a line, or null. */
export function checkConfig(config: CollectorConfig, gates: ReadonlySet<string>): string | null {
  const mistakes = [
    whole(config, gates),
    ...checkComponents("receivers", config.receivers),
    ...checkComponents("exporters", config.exporters),
    ...checkComponents("processors", config.processors),
    ...checkComponents("extensions", config.extensions),
    telemetry(config),
    ...pipelines(config, gates),
  ].filter((mistake) => mistake !== null);
  return mistakes.length === 0 ? null : mistakes.join("\n");
}

/** The first mistake between the sections. */
function whole(config: CollectorConfig, gates: ReadonlySet<string>): string | null {
  const { receivers, exporters, processors, connectors, extensions, service } = config;
  if ([receivers, exporters, processors, connectors, extensions].every((section) => section.size === 0)) return "empty configuration file";
  if (!gates.has(ALLOW_NO_PIPELINES) && receivers.size === 0) return "no receiver configuration specified in config";
  if (!gates.has(ALLOW_NO_PIPELINES) && exporters.size === 0) return "no exporter configuration specified in config";
  for (const id of service.extensions) {
    if (!extensions.has(id)) return `service::extensions: references extension ${JSON.stringify(id)} which is not configured`;
  }
  for (const [id, pipeline] of service.pipelines) {
    const missing = danglingReference(config, pipeline);
    if (missing !== null) return `service::pipelines::${id}: references ${missing} which is not configured`;
  }
  return null;
}

function danglingReference(config: CollectorConfig, pipeline: PipelineConfig): string | null {
  for (const kind of ["receiver", "processor", "exporter"] as const) {
    for (const id of pipeline[`${kind}s`]) {
      if (!config[`${kind}s`].has(id)) return `${kind} ${JSON.stringify(id)}`;
    }
  }
  return null;
}

function telemetry(config: CollectorConfig): string | null {
  const { metrics } = config.service;
  const readers = plain(metrics.get("readers") ?? null);
  if (metrics.get("level") === "None" || !Array.isArray(readers) || readers.length > 0) return null;
  return "service::telemetry: collector telemetry metrics reader should exist when metric level is not none";
}

function* pipelines(config: CollectorConfig, gates: ReadonlySet<string>): Generator<string> {
  const { service } = config;
  if (!gates.has(ALLOW_NO_PIPELINES) && service.pipelines.size === 0) yield "service::pipelines: service must have at least one pipeline";
  for (const id of service.pipelines.keys()) {
    if (id.split("/", 1)[0] === "profiles" && !gates.has(PROFILES_SUPPORT)) {
      yield `service::pipelines: pipeline ${JSON.stringify(id)}: profiling signal support is at alpha level, gated under the "${PROFILES_SUPPORT}" feature gate`;
    }
  }
  for (const [id, pipeline] of service.pipelines) {
    const mistake = onePipeline(pipeline);
    if (mistake !== null) yield `service::pipelines::${id}: ${mistake}`;
  }
}

function onePipeline(pipeline: PipelineConfig): string | null {
  if (pipeline.receivers.length === 0) return "must have at least one receiver";
  if (pipeline.exporters.length === 0) return "must have at least one exporter";
  const twice = pipeline.processors.find((id, index) => pipeline.processors.indexOf(id) !== index);
  return twice === undefined ? null : `references processor ${JSON.stringify(twice)} multiple times`;
}

/** What only shows when the pipelines are built: `validate` does that too. Null when all of them can be built. */
export function checkBuild(config: CollectorConfig): string | null {
  for (const [id, pipeline] of config.service.pipelines) {
    const signal = id.split("/", 1)[0] ?? "";
    for (const [kind, section] of KINDS) {
      for (const component of pipeline[section]) {
        const reason = buildMistake(config, section, component, signal);
        if (reason !== null) return `failed to build pipelines: failed to create ${JSON.stringify(component)} ${kind} for data type ${JSON.stringify(signal)}: ${reason}`;
      }
    }
  }
  return null;
}

/** An opamp extension without a uid of its own takes that of the resource, which then must be a UUID. */
export function checkExtensions(config: CollectorConfig): string | null {
  const given = plain(config.service.resource?.get("service.instance.id") ?? null);
  if (typeof given !== "string" || /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(given)) return null;
  const id = config.service.extensions.find((one) => one.split("/", 1)[0] === "opamp" && plain(config.extensions.get(one)?.get("instance_uid") ?? "") === "");
  if (id === undefined) return null;
  const reason = given.length === 36 ? "invalid UUID format" : `invalid UUID length: ${given.length}`;
  return `failed to build extensions: failed to create extension ${JSON.stringify(id)}: ${reason}`;
}

const KINDS = [
  ["exporter", "exporters"],
  ["processor", "processors"],
  ["receiver", "receivers"],
] as const;

function buildMistake(config: CollectorConfig, section: "exporters" | "processors" | "receivers", id: string, signal: string): string | null {
  const type = findType(section, id);
  if (type === undefined) return null;
  if (!Object.hasOwn(type.stability, signal)) return "telemetry type is not supported";
  if (type.type !== "file_log") return null;
  const settings = config[section].get(id);
  const include = plain(settings?.get("include") ?? null);
  if (!Array.isArray(include) || include.length === 0) return "'include' must be specified";
  const startAt = textOf(settings?.get("start_at") ?? "end");
  return startAt === "end" || startAt === "beginning" ? null : `invalid start_at location '${startAt}'`;
}
