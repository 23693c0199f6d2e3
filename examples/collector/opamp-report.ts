/** What the opamp extension tells: the description, the health tree, the list of components. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import { arch, hostname, release, type } from "node:os";
import type { AgentDescriptionSchema, AvailableComponentsSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { KeyValueSchema, type KeyValue } from "../../src/gen/opamp/v1/anyvalue_pb.js";
import { systemClock } from "../../src/lib/clock.js";
import { CATALOG, moduleText, type Section } from "./catalog.js";
import type { CollectorConfig } from "./decode-config.js";

export interface Health {
  readonly healthy: boolean;
  readonly status?: string;
  readonly lastError?: string;
  readonly startTimeUnixNano?: bigint;
  readonly statusTimeUnixNano?: bigint;
  readonly componentHealthMap?: Record<string, Health>;
}
export type Resource = Readonly<Record<string, string>>;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** @param own attributes from the extension's configuration; they win over the found ones. */
export function describe(uid: string, resource: Resource, own: Resource, withResource: boolean): MessageInitShape<typeof AgentDescriptionSchema> {
  const identifying = {
    "service.instance.id": uid,
    "service.name": resource["service.name"] ?? "",
    "service.version": resource["service.version"] ?? "",
  };
  const others: Record<string, string> = {
    "host.arch": ARCHITECTURES[arch()] ?? arch(),
    "host.name": hostname(),
    "os.description": `${type()} ${release()}`,
    "os.type": process.platform,
    ...own,
  };
  if (withResource) {
    for (const [key, value] of Object.entries(resource)) if (!Object.hasOwn(identifying, key)) others[key] = value;
  }
  return { identifyingAttributes: keyValues(identifying), nonIdentifyingAttributes: keyValues(others) };
}

function keyValues(record: Resource): KeyValue[] {
  return Object.entries(record)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => create(KeyValueSchema, { key, value: { value: { case: "stringValue", value } } }));
}

/** The whole tree with one status everywhere. `startedAt` is set only while the Collector runs. */
export function healthTree(config: CollectorConfig, status: string, startedAt: bigint | null): Health {
  const healthy = status === "StatusOK";
  const leaf: Health = { healthy, status, statusTimeUnixNano: systemClock.unixNano() };
  const branch = (names: readonly string[]): Health => ({ ...leaf, componentHealthMap: Object.fromEntries(names.map((name) => [name, leaf])) });
  const branches = [...config.service.pipelines].map(([id, pipeline]): [string, Health] => [
    `pipeline:${id}`,
    branch([
      ...pipeline.receivers.map((one) => `receiver:${one}`),
      ...pipeline.processors.map((one) => `processor:${one}`),
      ...pipeline.exporters.map((one) => `exporter:${one}`),
    ]),
  ]);
  // The extensions stand until the pipelines have stopped.
  const standing: Health = status === "StatusStopping" ? { ...leaf, healthy: true, status: "StatusOK" } : leaf;
  const extensions: Health = { ...standing, componentHealthMap: Object.fromEntries(config.service.extensions.map((id) => [`extension:${id}`, standing])) };
  return { ...leaf, ...(startedAt === null ? {} : { startTimeUnixNano: startedAt }), componentHealthMap: { ...Object.fromEntries(branches), extensions } };
}

/** The tree of a running Collector in which one component fails: only the stand-in's faults do that. */
export function failingTree(config: CollectorConfig, startedAt: bigint, error: string): Health {
  const tree = healthTree(config, "StatusOK", startedAt);
  const failing: Health = { healthy: false, status: "StatusRecoverableError", lastError: error, statusTimeUnixNano: systemClock.unixNano() };
  const extensions = { ...tree.componentHealthMap?.["extensions"], ...failing };
  const children = Object.fromEntries(Object.entries(extensions.componentHealthMap ?? {}).map(([id, one]) => [id, id.startsWith("extension:standin_faults") ? failing : one]));
  return { ...tree, ...failing, componentHealthMap: { ...tree.componentHealthMap, extensions: { ...extensions, componentHealthMap: children } } };
}

const SECTIONS: readonly Section[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

/** @param full false leaves only the hash. */
export function availableComponents(full: boolean): MessageInitShape<typeof AvailableComponentsSchema> {
  const hash = createHash("sha256").update(JSON.stringify(CATALOG)).digest();
  if (!full) return { hash };
  const components = Object.fromEntries(SECTIONS.map((section) => [section, { subComponentMap: sectionComponents(section) }]));
  return { hash, components };
}

function sectionComponents(section: Section): Record<string, { metadata: KeyValue[] }> {
  return Object.fromEntries(
    CATALOG[section].flatMap((component) => {
      const names = component.alias === undefined ? [component.type] : [component.type, component.alias];
      return names.map((name) => [name, { metadata: keyValues({ "code.namespace": moduleText(component) }) }] as const);
    }),
  );
}
