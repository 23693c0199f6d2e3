/**
 * A protobuf message as plain JSON for people: the names of the specification, bit masks and enums by name, identifiers
 * as UUIDs, hashes in hex, times as dates, attributes as an object, bodies as text. Only what is set is shown.
 */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import type { AnyValue, KeyValue } from "../../src/gen/opamp/v1/anyvalue_pb.js";
import { BITS_OF_FIELD, bitNames, valueName } from "./bits.js";
import { uidText } from "./instance-uid.js";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Deeper values are cut; nothing honest is nested so far. */
const DEPTH_MAX = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

export function readable(message: Message, schema: DescMessage, depth = 0): Json {
  if (depth > DEPTH_MAX) return "(nested too deeply to show)";
  const entries: [string, Json][] = [];
  for (const field of schema.fields) {
    const value = valueOf(message, field);
    if (isSet(value, field)) entries.push([field.name, readableField(value, field, depth)]);
  }
  return Object.fromEntries(entries);
}

/** Attributes as people write them: `{ "service.name": "otelcol" }`. The last of several equal keys wins. */
export function readableAttributes(attributes: readonly KeyValue[], depth = 0): { [key: string]: Json } {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readableAny(value, depth + 1)]));
}

export function bytesText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return `(${bytes.length} bytes that are not text) ${Buffer.from(bytes.subarray(0, 64)).toString("hex")}`;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** ISO text of nanoseconds since the epoch, or null for 0, which means "not set". */
export function nanoText(nanos: bigint): string | null {
  if (nanos === 0n) return null;
  const date = new Date(Number(nanos / 1_000_000n));
  return Number.isNaN(date.getTime()) ? `${nanos} ns` : date.toISOString();
}

function readableAny(value: AnyValue | undefined, depth: number): Json {
  if (depth > DEPTH_MAX) return "(nested too deeply to show)";
  const one = value?.value;
  if (one?.case === undefined) return null;
  switch (one.case) {
    case "arrayValue":
      return one.value.values.map((item) => readableAny(item, depth + 1));
    case "kvlistValue":
      return readableAttributes(one.value.values, depth + 1);
    case "bytesValue":
      return hex(one.value);
    case "intValue":
      return numberOrText(one.value);
    case "doubleValue":
      return Number.isFinite(one.value) ? one.value : String(one.value);
    default:
      return one.value;
  }
}

function readableField(value: unknown, field: DescField, depth: number): Json {
  if (field.fieldKind === "list") {
    if (field.message?.typeName === "opamp.proto.v1.KeyValue") return readableAttributes(value as KeyValue[], depth);
    return (value as unknown[]).map((item) => readableOne(item, field, depth));
  }
  if (field.fieldKind === "map") {
    return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, readableOne(item, field, depth)]));
  }
  return readableOne(value, field, depth);
}

function readableOne(value: unknown, field: DescField, depth: number): Json {
  if (field.message !== undefined) return readable(value as Message, field.message, depth + 1);
  if (field.enum !== undefined) return valueName(value as number, field.enum);
  if (value instanceof Uint8Array) return readableBytes(value, field.name);
  if (typeof value === "bigint") return readableInteger(value, field);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : (value as string | number | boolean);
}

function readableBytes(bytes: Uint8Array, name: string): string {
  if (name.endsWith("instance_uid")) return uidText(bytes) ?? hex(bytes);
  if (name.endsWith("hash")) return hex(bytes);
  // A key that we hand out is nobody's business, not even in our own page.
  if (name === "private_key") return "(not shown)";
  return bytesText(bytes);
}

function readableInteger(value: bigint, field: DescField): Json {
  const bits = BITS_OF_FIELD.get(`${field.parent.typeName}.${field.name}`);
  if (bits !== undefined) return bitNames(value, bits);
  if (field.name.endsWith("_unix_nano")) return nanoText(value);
  return numberOrText(value);
}

function numberOrText(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Members of a oneof live in an object of their own, `{ case, value }`. */
function valueOf(message: Message, field: DescField): unknown {
  const holder = message as unknown as Record<string, unknown>;
  if (field.oneof === undefined) return holder[field.localName];
  const chosen = holder[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function isSet(value: unknown, field: DescField): boolean {
  if (value === undefined || value === "" || value === 0n) return false;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length > 0;
  if (field.fieldKind === "map") return Object.keys(value as object).length > 0;
  // What is false (not healthy) or the first of an enum (UNSET, Restart) says something; a plain 0 does not.
  return value !== 0 || field.fieldKind === "enum";
}
