/**
 * A configuration as the Collector sees it after YAML: whole numbers and fractions stay apart (`bigint`, `number`),
 * because its error texts name the type, and a value that came from `${...}` remembers how it was written, because a
 * field of type string takes that text.
 */
export type ConfigMap = Map<string, ConfigValue>;
export type ConfigValue = null | boolean | bigint | number | string | Expanded | ConfigValue[] | ConfigMap;

export class Expanded {
  readonly value: ConfigValue;
  readonly text: string;

  constructor(value: ConfigValue, text: string) {
    this.value = value;
    this.text = text;
  }
}

/** The value without the memory of its text. */
export function plain(value: ConfigValue): Exclude<ConfigValue, Expanded> {
  return value instanceof Expanded ? plain(value.value) : value;
}

/** The Collector's name for the type of a value. */
export function typeName(value: ConfigValue): string {
  const bare = plain(value);
  if (bare === null) return "<nil>";
  if (Array.isArray(bare)) return "[]interface {}";
  if (bare instanceof Map) return "map[string]interface {}";
  if (typeof bare === "bigint") return "int";
  return typeof bare === "number" ? "float64" : typeof bare === "boolean" ? "bool" : "string";
}

/** The same, as its decoder names the kind of a value. */
export function kindName(value: ConfigValue): string {
  const bare = plain(value);
  return Array.isArray(bare) ? "slice" : bare instanceof Map ? "map" : typeName(bare);
}

/** Maps are joined key by key; everything else, null and lists included, is replaced by the later source. */
export function mergeMaps(below: ConfigMap, above: ConfigMap): ConfigMap {
  const merged = new Map(below);
  for (const [key, value] of above) {
    const old = plain(merged.get(key) ?? null);
    const bare = plain(value);
    merged.set(key, old instanceof Map && bare instanceof Map ? mergeMaps(old, bare) : value);
  }
  return merged;
}

/** `a::b: 1` at the top level means `a: {b: 1}`. */
export function unnest(map: ConfigMap): ConfigMap {
  let result: ConfigMap = new Map();
  for (const [key, value] of map) {
    const parts = key.split("::");
    const nested = parts.reduceRight<ConfigValue>((inner, part) => new Map([[part, inner]]), value);
    if (nested instanceof Map) result = mergeMaps(result, nested);
  }
  return result;
}
