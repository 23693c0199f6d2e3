/** Reads decoded configurations, in which every key of a schema has its type or is missing. */
import { plain, type ConfigMap, type ConfigValue } from "./value.js";

/** A scalar as text; "" for null, lists and maps. */
export function textOf(value: ConfigValue): string {
  const bare = plain(value);
  return bare === null || typeof bare === "object" ? "" : String(bare);
}

export function textAt(settings: ConfigMap, key: string): string {
  return textOf(settings.get(key) ?? null);
}

export function numberAt(settings: ConfigMap, key: string): number {
  return Number(textAt(settings, key));
}

export function isOn(settings: ConfigMap, key: string): boolean {
  return plain(settings.get(key) ?? null) === true;
}

export function mapAt(settings: ConfigMap, key: string): ConfigMap {
  const value = plain(settings.get(key) ?? null);
  return value instanceof Map ? value : new Map<string, ConfigValue>();
}

export function textsAt(settings: ConfigMap, key: string): string[] {
  const value = plain(settings.get(key) ?? null);
  return Array.isArray(value) ? value.map(textOf) : [];
}
