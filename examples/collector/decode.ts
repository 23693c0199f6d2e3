/** Decodes a value by a schema: fills defaults, collects every mistake in the words and the order of the Collector. */
import { readDuration, writeDuration } from "./duration.js";
import type { ObjectSchema, Schema } from "./schema.js";
import { Expanded, kindName, plain, typeName, type ConfigMap, type ConfigValue } from "./value.js";

export const DECODING_FAILED = "decoding failed due to the following error(s):\n\n";

/** A decoder that the real one nests once more (its own unmarshalling) is named by an empty path. */
export function decodeRoot(schema: ObjectSchema, value: ConfigValue, nested: boolean): { readonly value: ConfigMap; readonly error: string | null } {
  const mistakes: string[] = [];
  const decoded = decodeObject(schema, plain(value) instanceof Map ? value : null, "", mistakes);
  if (mistakes.length === 0) return { value: decoded, error: null };
  const inner = DECODING_FAILED + mistakes.join("\n");
  return { value: decoded, error: nested ? `${DECODING_FAILED}'' ${inner}` : inner };
}

function decodeObject(schema: ObjectSchema, value: ConfigValue, path: string, mistakes: string[]): ConfigMap {
  const given = plain(value);
  if (given !== null && !(given instanceof Map)) mistakes.push(`'${path}' expected a map or struct, got "${kindName(given)}"`);
  const entries: ConfigMap = given instanceof Map ? given : new Map<string, ConfigValue>();
  const decoded: ConfigMap = new Map();
  for (const [name, field] of Object.entries(schema.fields)) {
    const inner = path === "" ? name : `${path}.${name}`;
    const result = decode(field, entries.get(name), inner, mistakes);
    if (result !== undefined) decoded.set(name, result);
  }
  const unknown = [...entries.keys()].filter((key) => !Object.hasOwn(schema.fields, key)).sort();
  if (unknown.length > 0 && schema.open !== true) mistakes.push(`'${path === "" ? schema.type : path}' has invalid keys: ${unknown.join(", ")}`);
  return decoded;
}

function decode(schema: Schema, value: ConfigValue | undefined, path: string, mistakes: string[]): ConfigValue | undefined {
  const bare = value === undefined ? null : plain(value);
  if (schema.is === "object") return decodeObject(schema, bare, path, mistakes);
  if (schema.is === "pointer") return bare === null ? undefined : decodeObject(schema.of, bare, path, mistakes);
  if (schema.is === "optional") return value === undefined ? null : decodeOptional(schema.of, bare, path, mistakes);
  if (value === undefined || (bare === null && !isEmptyText(schema, value))) return fallbackOf(schema);
  if (schema.is === "any") return bare;
  if (schema.is === "list") return decodeList(schema.of, bare, path, mistakes);
  if (schema.is === "map" || schema.is === "headers") return decodeMap(schema.is === "map" ? schema.of : { is: "secret" }, bare, path, mistakes);
  const result = decodeScalar(schema, value, path);
  if (typeof result !== "object") return result;
  mistakes.push(result.mistake);
  return fallbackOf(schema);
}

/** A reference to nothing is an empty text where a text belongs. */
function isEmptyText(schema: Schema, value: ConfigValue): boolean {
  return value instanceof Expanded && (schema.is === "string" || schema.is === "secret");
}

function fallbackOf(schema: Exclude<Schema, { is: "object" | "optional" | "pointer" }>): ConfigValue | undefined {
  if (schema.is === "secret" || schema.is === "headers") return undefined;
  if (schema.is === "duration" && schema.fallback !== undefined) return normalDuration(schema.fallback);
  if (schema.is === "list") return schema.fallback === undefined ? undefined : [...schema.fallback];
  return schema.fallback;
}

function normalDuration(textual: string): string {
  const read = readDuration(textual);
  return read.ok ? writeDuration(read.nanoseconds) : textual;
}

function decodeOptional(schema: ObjectSchema, value: ConfigValue, path: string, mistakes: string[]): ConfigValue {
  const inner: string[] = [];
  const decoded = decodeObject(schema, value, "", inner);
  if (inner.length > 0) mistakes.push(`'${path}' ${DECODING_FAILED}${inner.join("\n")}`);
  return decoded;
}

function decodeList(of: Schema, value: ConfigValue, path: string, mistakes: string[]): ConfigValue {
  if (!Array.isArray(value)) {
    mistakes.push(`'${path}' source data must be an array or slice, got ${kindName(value)}`);
    return [];
  }
  return value.map((item, index) => decode(of, item, `${path}[${index}]`, mistakes) ?? null);
}

function decodeMap(of: Schema, value: ConfigValue, path: string, mistakes: string[]): ConfigValue {
  if (Array.isArray(value)) return value;
  if (!(value instanceof Map)) {
    mistakes.push(`'${path}' expected a map or struct, got "${kindName(value)}"`);
    return new Map();
  }
  return new Map([...value].map(([key, item]) => [key, decode(of, item, `${path}[${key}]`, mistakes) ?? null]));
}

interface Mistake {
  readonly mistake: string;
}
type ScalarSchema = Extract<Schema, { is: "string" | "secret" | "bool" | "int" | "float" | "duration" }>;

function decodeScalar(schema: ScalarSchema, value: ConfigValue, path: string): string | boolean | bigint | number | Mistake {
  const bare = plain(value);
  const mistyped = (type: string): Mistake => ({ mistake: `'${path}' expected type '${type}', got unconvertible type '${typeName(bare)}'` });
  switch (schema.is) {
    case "string":
    case "secret":
      return decodeText(schema, value, path) ?? mistyped(schema.is === "secret" ? "configopaque.String" : "string");
    case "bool":
      return typeof bare === "boolean" ? bare : mistyped("bool");
    case "float":
      return typeof bare === "number" || typeof bare === "bigint" ? Number(bare) : mistyped("float64");
    case "int":
      if (typeof bare !== "bigint" && typeof bare !== "number") return mistyped(schema.type);
      if (bare < 0 && schema.type.startsWith("u")) return { mistake: `'${path}' cannot parse value as '${schema.type}': ${bare} overflows uint` };
      return typeof bare === "bigint" ? bare : BigInt(Math.trunc(bare));
    case "duration": {
      if (typeof bare === "bigint") return writeDuration(bare);
      if (typeof bare !== "string") return mistyped("time.Duration");
      const read = readDuration(bare);
      return read.ok ? writeDuration(read.nanoseconds) : { mistake: `'${path}' ${read.error}` };
    }
  }
}

function decodeText(schema: Extract<Schema, { is: "string" | "secret" }>, value: ConfigValue, path: string): string | Mistake | undefined {
  const bare = plain(value);
  const given = value instanceof Expanded && (bare === null || typeof bare !== "object") ? value.text : bare;
  if (typeof given !== "string") return undefined;
  if (schema.is === "secret") return given;
  const mistake = schema.check?.(given) ?? null;
  return mistake === null ? (schema.write?.(given) ?? given) : { mistake: `'${path}' ${mistake}` };
}
