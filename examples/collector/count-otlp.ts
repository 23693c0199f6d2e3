/** Counts what an OTLP/HTTP body holds, from JSON or from protobuf, without understanding the rest of it. */
import type { Batch } from "./batch.js";
import type { Signal } from "./catalog.js";

/** Null where the body is not an export request. */
export function countOtlp(signal: Signal, body: Buffer, json: boolean): Batch | null {
  try {
    return json ? countJson(signal, JSON.parse(body.toString("utf8")) as unknown) : countProtobuf(signal, body);
  } catch {
    return null;
  }
}

const JSON_KEYS: Readonly<Record<Signal, readonly [string, string, string]>> = {
  logs: ["resourceLogs", "scopeLogs", "logRecords"],
  traces: ["resourceSpans", "scopeSpans", "spans"],
  metrics: ["resourceMetrics", "scopeMetrics", "metrics"],
};
const METRIC_KINDS = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

function countJson(signal: Signal, body: unknown): Batch | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  const [resourceKey, scopeKey, itemKey] = JSON_KEYS[signal];
  const resources = listAt(body, resourceKey);
  const items = resources.flatMap((resource) => listAt(resource, scopeKey)).flatMap((scope) => listAt(scope, itemKey));
  const points = items.flatMap((item) => METRIC_KINDS.flatMap((kind) => listAt((item as Record<string, unknown>)[kind], "dataPoints")));
  return { signal, resources: resources.length, items: items.length, points: points.length };
}

function listAt(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  const list = (value as Record<string, unknown>)[key];
  return Array.isArray(list) ? (list as unknown[]) : [];
}

/** The three levels have the field numbers 1, 2 and 2; a metric's kinds are 5 to 11, with data points in field 1. */
function countProtobuf(signal: Signal, body: Buffer): Batch {
  const resources = messages(body, [1]);
  const items = resources.flatMap((resource) => messages(resource, [2])).flatMap((scope) => messages(scope, [2]));
  const points = signal === "metrics" ? items.flatMap((item) => messages(item, [5, 7, 9, 10, 11])).flatMap((kind) => messages(kind, [1])) : [];
  return { signal, resources: resources.length, items: items.length, points: points.length };
}

function messages(body: Buffer, fields: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = body[at++];
      if (byte === undefined) throw new RangeError("cut short");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < body.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (fields.includes(Math.floor(tag / 8))) found.push(body.subarray(at, at + length));
      at += length;
    } else throw new RangeError("not protobuf");
    if (at > body.length) throw new RangeError("cut short");
  }
  return found;
}
