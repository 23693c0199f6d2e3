/**
 * Reads just enough of an OTLP/HTTP request to say whose telemetry it is and what it holds: for each resource its
 * `service.instance.id`, the number of items and their names. Values, attributes and times are not decoded.
 *
 * The three signals have one shape: request, 1: resource, 2: scopes of it, 2: items of a scope.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { z } from "zod";

export type Signal = "metrics" | "logs" | "traces";

export interface Batch {
  /** Empty where the resource does not say. */
  readonly instanceId: string;
  readonly serviceName: string;
  readonly items: number;
  /** Of metrics and spans, or the body text of log records; without repetition, the first ones only. */
  readonly names: readonly string[];
}

const NAMES_MAX = 200;
const NAME_LENGTH_MAX = 300;
/** The field of an item that names it: Metric.name, LogRecord.body, Span.name. */
const NAME_FIELD: Readonly<Record<Signal, number>> = { metrics: 1, logs: 5, traces: 5 };

export function decodeOtlp(signal: Signal, body: Uint8Array): Batch[] {
  return fields(body, 1).map((resourceItems) => {
    const attributes = fields(resourceItems, 1).flatMap((resource) => fields(resource, 1)).map(keyValue);
    const items = fields(resourceItems, 2).flatMap((scope) => fields(scope, 2));
    const names = items.map((item) => nameOf(signal, item));
    return batch((key) => attributes.find(([name]) => name === key)?.[1] ?? "", items.length, names);
  });
}

const attributeSchema = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }).optional() });
const itemSchema = z.object({
  name: z.string().optional(),
  body: z.object({ stringValue: z.string().optional() }).optional(),
});
const scopeSchema = z.object({
  metrics: z.array(itemSchema).optional(),
  logRecords: z.array(itemSchema).optional(),
  spans: z.array(itemSchema).optional(),
});
const resourceSchema = z.object({
  resource: z.object({ attributes: z.array(attributeSchema).optional() }).optional(),
  scopeMetrics: z.array(scopeSchema).optional(),
  scopeLogs: z.array(scopeSchema).optional(),
  scopeSpans: z.array(scopeSchema).optional(),
});
const requestSchema = z.object({
  resourceMetrics: z.array(resourceSchema).optional(),
  resourceLogs: z.array(resourceSchema).optional(),
  resourceSpans: z.array(resourceSchema).optional(),
});

export function decodeOtlpJson(text: string): Batch[] {
  const { resourceMetrics = [], resourceLogs = [], resourceSpans = [] } = requestSchema.parse(JSON.parse(text));
  return [...resourceMetrics, ...resourceLogs, ...resourceSpans].map(({ resource, scopeMetrics, scopeLogs, scopeSpans }) => {
    const attributes = resource?.attributes ?? [];
    const scopes = [...(scopeMetrics ?? []), ...(scopeLogs ?? []), ...(scopeSpans ?? [])];
    const items = scopes.flatMap((scope) => [...(scope.metrics ?? []), ...(scope.logRecords ?? []), ...(scope.spans ?? [])]);
    const names = items.map((item) => item.name ?? item.body?.stringValue ?? "");
    return batch((key) => attributes.find((attribute) => attribute.key === key)?.value?.stringValue ?? "", items.length, names);
  });
}

function batch(attribute: (key: string) => string, items: number, names: readonly string[]): Batch {
  const distinct = [...new Set(names.filter((name) => name !== ""))].slice(0, NAMES_MAX);
  return {
    instanceId: attribute("service.instance.id"),
    serviceName: attribute("service.name"),
    items,
    names: distinct.map((name) => name.slice(0, NAME_LENGTH_MAX)),
  };
}

/** The contents of all length-delimited fields with this number. */
function fields(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === wanted && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type, number);
  }
  return found;
}

function keyValue(bytes: Uint8Array): [string, string] {
  const value = fields(bytes, 2)[0];
  return [text(fields(bytes, 1)[0]), value === undefined ? "" : text(fields(value, 1)[0])];
}

/** The body of a log record is a value, of which only a text is shown; a name is the text itself. */
function nameOf(signal: Signal, item: Uint8Array): string {
  const field = fields(item, NAME_FIELD[signal])[0];
  if (field === undefined) return "";
  return signal === "logs" ? text(fields(field, 1)[0]) : text(field);
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
}
