/** The component types of the recorded build, with the module each one stands in for, and the stand-in's own test component. */
export type Section = "receivers" | "processors" | "exporters" | "connectors" | "extensions";
export type Signal = "logs" | "metrics" | "traces";
export interface ComponentType {
  readonly type: string;
  readonly module: string;
  /** Stability by signal; empty for a signal that the component does not support. */
  readonly stability: Readonly<Partial<Record<Signal | "extension", string>>>;
  /** A second name. `deprecated` is the one of the two that warns when a pipeline uses it. */
  readonly alias?: string;
  readonly deprecated?: string;
}

const CORE = "go.opentelemetry.io/collector";
const CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib";
const every = (level: string): Record<Signal, string> => ({ logs: level, metrics: level, traces: level });

export const CATALOG: Readonly<Record<Section, readonly ComponentType[]>> = {
  receivers: [
    { type: "hostmetrics", module: `${CONTRIB}/receiver/hostmetricsreceiver v0.149.0`, stability: { logs: "Development", metrics: "Beta" } },
    { type: "nop", module: `${CORE}/receiver/nopreceiver v0.149.0`, stability: every("Beta") },
    { type: "otlp", module: `${CORE}/receiver/otlpreceiver v0.149.0`, stability: every("Stable") },
    { type: "file_log", module: `${CONTRIB}/receiver/filelogreceiver v0.149.0`, stability: { logs: "Beta" }, alias: "filelog", deprecated: "filelog" },
  ],
  processors: [
    { type: "batch", module: `${CORE}/processor/batchprocessor v0.149.0`, stability: every("Beta") },
    { type: "filter", module: `${CONTRIB}/processor/filterprocessor v0.149.0`, stability: every("Alpha") },
    { type: "memory_limiter", module: `${CORE}/processor/memorylimiterprocessor v0.149.0`, stability: every("Beta") },
  ],
  exporters: [
    { type: "debug", module: `${CORE}/exporter/debugexporter v0.149.0`, stability: every("Alpha") },
    { type: "nop", module: `${CORE}/exporter/nopexporter v0.149.0`, stability: every("Beta") },
    { type: "otlp_grpc", module: `${CORE}/exporter/otlpexporter v0.149.0`, stability: every("Stable"), alias: "otlp", deprecated: "otlp" },
    { type: "otlp_http", module: `${CORE}/exporter/otlphttpexporter v0.149.0`, stability: every("Stable"), alias: "otlphttp", deprecated: "otlphttp" },
  ],
  connectors: [],
  extensions: [
    { type: "health_check", module: `${CONTRIB}/extension/healthcheckextension v0.149.0`, stability: { extension: "Alpha" } },
    { type: "opamp", module: `${CONTRIB}/extension/opampextension v0.149.0`, stability: { extension: "Alpha" } },
    { type: "standin_faults", module: "no real component v0.149.0", stability: { extension: "Development" } },
  ],
};

/** `otlp/2` names an instance of type `otlp`. */
export function typeOf(id: string): string {
  return id.split("/", 1)[0] ?? id;
}

export function findType(section: Section, id: string): ComponentType | undefined {
  const type = typeOf(id);
  return CATALOG[section].find((one) => one.type === type || one.alias === type);
}

/** Every accepted type name of a section, second names included. */
export function typeNames(section: Section): string[] {
  return CATALOG[section].flatMap((one) => (one.alias === undefined ? [one.type] : [one.type, one.alias]));
}

/** What stands in the list of components: the stand-in is not that module, and says so. */
export function moduleText(component: ComponentType): string {
  return component.type === "standin_faults" ? component.module : `stand-in for ${component.module}`;
}
