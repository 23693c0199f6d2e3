/**
 * The Collector takes `::` in a key for a level: `receivers::otlp: x` means `receivers: {otlp: x}`. Doing the same before
 * anything is merged keeps such keys from slipping past the rules of the merge. Mappings inside lists keep their keys,
 * as in the Collector.
 */
import { SupervisorError } from "../lib/error.js";
import { DEPTH_MAX } from "./yaml-convert.js";
import type { ConfigMap, ConfigNode } from "./yaml-node.js";

const DELIMITER = "::";

/** @param name how messages call the file. */
export function nestKeys(node: ConfigNode, name: string): ConfigNode {
  return node.is === "map" ? nestMap(node, { name, keys: [] }) : node;
}

interface Place {
  readonly name: string;
  readonly keys: readonly string[];
}

/** Every map in the result is made here, so those under construction may grow in place: many keys cost no copies. */
function nestMap(node: ConfigMap, place: Place): ConfigMap {
  const nested = new Map<string, ConfigNode>();
  for (const [key, value] of node.entries) {
    const parts = key.split(DELIMITER);
    const inside = below(place, parts);
    const inner = value.is === "map" ? nestMap(value, inside) : value;
    const [first = "", ...rest] = parts;
    put(nested, first, rest.reduceRight<ConfigNode>((branch, part) => ({ is: "map", entries: new Map([[part, branch]]) }), inner), place);
  }
  return { is: "map", entries: nested };
}

function put(into: Map<string, ConfigNode>, key: string, value: ConfigNode, place: Place): void {
  const existing = into.get(key);
  if (existing === undefined) {
    into.set(key, value);
  } else if (existing.is === "map" && value.is === "map") {
    for (const [inner, item] of value.entries) put(existing.entries as Map<string, ConfigNode>, inner, item, below(place, [key]));
  } else {
    throw refused(place, `${[...place.keys, key].join(DELIMITER)} is given twice, with "::" and without; keep one of both`);
  }
}

function below(place: Place, parts: readonly string[]): Place {
  const keys = [...place.keys, ...parts];
  if (keys.length > DEPTH_MAX) throw refused(place, `nested more than ${DEPTH_MAX} levels deep`);
  return { ...place, keys };
}

function refused({ name }: Place, reason: string): SupervisorError {
  return new SupervisorError("config-refused", `${name}: ${reason}`);
}
