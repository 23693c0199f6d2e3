/** The Collector's own rule for two configurations: mappings are joined key by key, everything else is replaced. */
import { withEntry, withoutEntry, type ConfigMap } from "./yaml-node.js";

/** A null of `over` replaces what was there, and a mapping replaces a null, as in the Collector. */
export function merge(base: ConfigMap, over: ConfigMap): ConfigMap {
  const entries = new Map(base.entries);
  for (const [key, value] of over.entries) {
    const existing = entries.get(key);
    entries.set(key, existing?.is === "map" && value.is === "map" ? merge(existing, value) : value);
  }
  return { is: "map", entries };
}

/** Joins `value` into `root` at a path; what stands in the way and is no mapping is replaced. */
export function mergeAt(root: ConfigMap, path: readonly string[], value: ConfigMap): ConfigMap {
  const [key, ...rest] = path;
  if (key === undefined) return merge(root, value);
  const inner = root.entries.get(key);
  return withEntry(root, key, mergeAt(inner?.is === "map" ? inner : { is: "map", entries: new Map() }, rest, value));
}

/** The tree without what lies at a path; the mappings on the way stay. */
export function withoutPath(root: ConfigMap, path: readonly string[]): ConfigMap {
  const [key, ...rest] = path;
  if (key === undefined) return root;
  const inner = root.entries.get(key);
  if (inner === undefined) return root;
  if (rest.length === 0) return withoutEntry(root, key);
  return inner.is === "map" ? withEntry(root, key, withoutPath(inner, rest)) : root;
}
