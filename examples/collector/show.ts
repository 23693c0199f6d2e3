/** The decoded configuration as the Collector reports it: secrets replaced, internal fields left out. */
import type { ObjectSchema, Schema } from "./schema.js";
import { plain, type ConfigMap, type ConfigValue } from "./value.js";

const REDACTED = "[REDACTED]";

export function show(schema: ObjectSchema, value: ConfigMap): ConfigMap {
  const shown: ConfigMap = new Map();
  for (const [name, item] of value) {
    const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    if (field?.hidden === true) continue;
    shown.set(name, field === undefined ? item : showValue(field, item));
  }
  return shown;
}

function showValue(schema: Schema, value: ConfigValue): ConfigValue {
  const bare = plain(value);
  if (bare === null) return null;
  if (schema.is === "secret") return REDACTED;
  if (schema.is === "headers" && bare instanceof Map) return headerList([...bare.keys()]);
  if (schema.is === "headers" && Array.isArray(bare)) return headerList(bare.map((item) => headerName(item)));
  if (schema.is === "map" && bare instanceof Map) return new Map([...bare].map(([key, item]) => [key, showValue(schema.of, item)]));
  if (schema.is === "object" && bare instanceof Map) return show(schema, bare);
  if ((schema.is === "optional" || schema.is === "pointer") && bare instanceof Map) return show(schema.of, bare);
  return bare;
}

function headerName(item: ConfigValue): string {
  const bare = plain(item);
  const name = bare instanceof Map ? plain(bare.get("name") ?? "") : "";
  return typeof name === "string" ? name : "";
}

function headerList(names: readonly string[]): ConfigValue {
  return [...names].sort().map((name) => new Map<string, ConfigValue>([["name", name], ["value", REDACTED]]));
}
