/** Makes what two programs said comparable: what differs from run to run, or must differ, becomes equal; nothing else does. */
import type { AgentToServer } from "../../../src/gen/opamp/v1/opamp_pb.js";
import type { AnyValue } from "../../../src/gen/opamp/v1/anyvalue_pb.js";
import type { Link } from "./opamp-listener.js";

/** Replacements from real values to placeholders, e.g. a port. */
export type Names = ReadonlyMap<string, string>;

export function normaliseText(text: string, names: Names): string {
  let result = text;
  for (const [value, placeholder] of names) result = result.replaceAll(value, placeholder);
  return result
    .replaceAll("otelcol-standin", "otelcol")
    .replaceAll("stand-in for ", "")
    .replaceAll(/ {4}- name: standin_faults\n(?: {6}.*\n)*/g, "")
    .replaceAll(/^( {4}description:) .*$/gm, "$1 <text>")
    .replaceAll(/^(\S+ +(?:true|false|Enabled) +\w+) .*$/gm, "$1 <text>")
    .replaceAll(/ \((?:[^()]*for tests and the demo only[^()]*)\)/g, "")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/yaml: line \d+: /g, "yaml: line <n>: ")
    .replaceAll(/\(valid values: \[([^\]]*)\]\)/g, (_, list: string) => `(valid values: [${sortWords(list)}])`);
}

function sortWords(list: string): string {
  return list
    .split(" ")
    .filter((word) => word !== "standin_faults")
    .sort()
    .join(" ");
}

export interface Output {
  readonly log: string[];
  readonly error: string[];
}

/** Splits stderr into log entries and the closing error; stacks are left out, and so is what only the stand-in says. */
export function readLog(text: string, names: Names): Output {
  const log: string[] = [];
  const lines = text.split("\n");
  const errorAt = lines.findIndex((line) => line.startsWith("Error: "));
  for (const line of errorAt < 0 ? lines : lines.slice(0, errorAt)) {
    const entry = parseLine(line);
    if (entry !== null && !entry.startsWith("info Stand-in") && !entry.startsWith("warn Stand-in")) log.push(normaliseText(entry, names));
  }
  const error = errorAt < 0 ? [] : normaliseText(lines.slice(errorAt).join("\n").trimEnd(), names).split("\n");
  return { log, error };
}

const SHOWN = ["otelcol.component.id", "error", "status", "signal", "type", "id", "endpoint", "client", "name", "log records", "spans", "limit_mib"];

function parseLine(line: string): string | null {
  const json = line.startsWith("{") ? parseJson(line) : null;
  if (json !== null) return entryText(String(json["level"]), String(json["msg"]), json);
  const columns = /^\d{4}-\d{2}-\d{2}T\S+\t(\w+)\t(?:\S+\t)?([^\t]*)\t(\{.*\})$/.exec(line);
  return columns === null ? null : entryText(columns[1] ?? "", columns[2] ?? "", parseJson(columns[3] ?? "") ?? {});
}

function entryText(level: string, message: string, fields: Readonly<Record<string, unknown>>): string {
  const shown = SHOWN.filter((key) => Object.hasOwn(fields, key)).map((key) => `${key}=${String(fields[key])}`);
  return [level, message, ...shown].join(" ");
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/**
 * What a link told, in order. What comes before the first StatusOK is one entry, and health is reduced to its verdict:
 * on a start the real one sends between one and three messages, on a stop between two and four, depending on how its
 * threads meet.
 */
export function readLink(link: Link): string[] {
  const told: string[] = [`authorization ${link.headers.authorization ?? "none"}`];
  const opening = new Set<string>();
  let wasHealthy = false;
  let opened = false;
  for (const message of link.messages) {
    const parts = partsOf(message);
    const healthy: boolean = message.health === undefined ? wasHealthy : message.health.healthy && message.health.status === "StatusOK";
    if (!opened) {
      for (const part of parts) opening.add(part);
      if (healthy) told.push([...opening].sort().join(", "));
      opened = healthy;
    } else if (parts.length > 0) {
      told.push(parts.sort().join(", "));
    }
    if (healthy !== wasHealthy) told.push(healthy ? "health: StatusOK" : "health: not healthy");
    wasHealthy = healthy;
    if (message.agentDisconnect !== undefined) told.push("disconnect");
  }
  return told;
}

function partsOf(message: AgentToServer): string[] {
  const { agentDescription, effectiveConfig, availableComponents, remoteConfigStatus, packageStatuses, capabilities } = message;
  const parts: string[] = [];
  if (agentDescription !== undefined) parts.push("description", `capabilities ${capabilities}`);
  if (effectiveConfig !== undefined) parts.push("effective config");
  if (availableComponents !== undefined) {
    parts.push(Object.keys(availableComponents.components).length > 0 ? "components in full" : "hash of components");
  }
  if (remoteConfigStatus !== undefined) parts.push("remote config status");
  if (packageStatuses !== undefined) parts.push("package statuses");
  return parts;
}

/** Identifying attributes with their values, the others by name. */
export function readDescription(message: AgentToServer | undefined, names: Names): string[] {
  const description = message?.agentDescription;
  if (description === undefined) return [];
  const identifying = description.identifyingAttributes.map(({ key, value }) => `${key}=${textOf(value)}`);
  const others = description.nonIdentifyingAttributes.map(({ key }) => key);
  return [...identifying, ...others].map((text) => normaliseText(text, names));
}

export function readComponents(messages: readonly AgentToServer[]): string[] {
  const full = messages.find((message) => Object.keys(message.availableComponents?.components ?? {}).length > 0);
  return Object.entries(full?.availableComponents?.components ?? {})
    .flatMap(([section, { subComponentMap }]) =>
      Object.entries(subComponentMap).map(([name, details]) => `${section} ${name} ${textOf(details.metadata[0]?.value)}`),
    )
    .filter((line) => !line.includes("standin_faults"))
    .map((line) => line.replace("stand-in for ", ""))
    .sort();
}

function textOf(value: AnyValue | undefined): string {
  return value?.value.case === "stringValue" ? value.value.value : "";
}
