/**
 * From the nodes of the YAML library to a tree of ours: aliases and merge keys (`<<`) are resolved by Go's rules, keys
 * become texts, tags are settled. Resolved parts are shared, and counted as if they were copied.
 */
import { isAlias, isMap, isScalar, isSeq, type Alias, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { convertScalar } from "./yaml-convert-scalar.js";
import type { ConfigMap, ConfigNode } from "./yaml-node.js";
import { offsetOf, YamlProblem } from "./yaml-problem.js";
import { keyOfPlain } from "./yaml-scalar.js";

/** Far deeper than any configuration; every later walk over the tree is recursive. */
export const DEPTH_MAX = 100;
/** How much aliases and merge keys may add to a file, in values and in characters. */
export const ALIAS_NODES_MAX = 100_000;
export const ALIAS_CHARS_MAX = 4 * 1024 * 1024;
/** Go refuses longer ones unless they are written in a special form. */
export const KEY_CHARS_MAX = 1000;

export function convertYaml(root: unknown, source: string): ConfigNode {
  return convert(root, { source, anchors: new Map(), size: NOTHING, aliased: NOTHING }, 0);
}

interface Size {
  readonly nodes: number;
  readonly chars: number;
}

interface Reading {
  readonly source: string;
  /** The value of each anchor so far; null while it is being read. */
  readonly anchors: Map<string, { readonly node: ConfigNode; readonly size: Size } | null>;
  /** All that was read, aliases at full size. */
  size: Size;
  aliased: Size;
}

const NOTHING: Size = { nodes: 0, chars: 0 };

function convert(node: unknown, reading: Reading, depth: number): ConfigNode {
  if (depth > DEPTH_MAX) throw new YamlProblem(`nested more than ${DEPTH_MAX} levels deep`, offsetOf(node));
  if (isAlias(node)) return resolveAlias(node, reading);
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  const before = reading.size;
  if (anchor !== undefined) reading.anchors.set(anchor, null);
  const converted = convertBare(node, reading, depth);
  const chars = converted.is === "map" || converted.is === "list" ? 0 : converted.is === "plain" ? converted.source.length : converted.value.length;
  reading.size = plus(reading.size, { nodes: 1, chars });
  if (anchor !== undefined) reading.anchors.set(anchor, { node: converted, size: minus(reading.size, before) });
  return converted;
}

function convertBare(node: unknown, reading: Reading, depth: number): ConfigNode {
  if (isMap(node)) return convertMap(node, reading, depth);
  if (isSeq(node)) return convertList(node, reading, depth);
  return isScalar(node) ? convertScalar(node, reading.source) : { is: "plain", source: "null" };
}

function resolveAlias(node: Alias, reading: Reading): ConfigNode {
  const found = reading.anchors.get(node.source);
  if (found === undefined) throw new YamlProblem(`the alias *${node.source} has no anchor in front of it`, offsetOf(node));
  if (found === null) throw new YamlProblem(`the anchor &${node.source} contains itself`, offsetOf(node));
  reading.size = plus(reading.size, found.size);
  reading.aliased = plus(reading.aliased, found.size);
  if (reading.aliased.nodes > ALIAS_NODES_MAX || reading.aliased.chars > ALIAS_CHARS_MAX) {
    throw new YamlProblem("aliases multiply the file beyond reason; write the values out", offsetOf(node));
  }
  return found.node;
}

function convertList(node: YAMLSeq, reading: Reading, depth: number): ConfigNode {
  return { is: "list", items: node.items.map((item) => convert(item, reading, depth + 1)) };
}

function convertMap(node: YAMLMap, reading: Reading, depth: number): ConfigMap {
  const entries = new Map<string, ConfigNode>();
  const written = new Set<string>();
  let merged: { readonly value: unknown; readonly offset: number } | null = null;
  for (const pair of node.items) {
    const key = convertKey(pair, node, reading);
    const at = pair.key === null ? offsetOf(node) : offsetOf(pair.key);
    if (written.has(key.written)) throw new YamlProblem(`the key ${JSON.stringify(key.written)} is given twice in one mapping`, at);
    written.add(key.written);
    if (key.merges) {
      merged = { value: pair.value, offset: at };
      continue;
    }
    if (entries.has(key.text)) throw new YamlProblem(`the key ${JSON.stringify(key.text)} is given twice in one mapping`, at);
    entries.set(key.text, convert(pair.value, reading, depth + 1));
  }
  if (merged !== null) mergeInto(entries, mergeSources(merged.value, convert(merged.value, reading, depth + 1)), merged.offset);
  return { is: "map", entries };
}

/** Several only where the list stands there itself: an alias of a list is refused, as in Go. */
function mergeSources(written: unknown, value: ConfigNode): readonly ConfigNode[] {
  return value.is === "list" && !isAlias(written) ? value.items : [value];
}

/** What is written in the mapping itself wins, then the earlier of several merged ones. */
function mergeInto(entries: Map<string, ConfigNode>, sources: readonly ConfigNode[], offset: number): void {
  for (const merged of sources) {
    if (merged.is !== "map") throw new YamlProblem("the merge key << takes a mapping or a list of mappings", offset);
    for (const [key, item] of merged.entries) if (!entries.has(key)) entries.set(key, item);
  }
}

interface Key {
  readonly written: string;
  readonly text: string;
  readonly merges: boolean;
}

function convertKey(pair: Pair, parent: YAMLMap, reading: Reading): Key {
  const { key } = pair;
  if (isAlias(key)) {
    const node = resolveAlias(key, reading);
    const text = node.is === "text" ? node.value : node.is === "plain" ? keyOfPlain(node.source) : null;
    if (text === null) throw new YamlProblem(`the alias *${key.source} is no text and cannot be a key`, offsetOf(key));
    return { written: text, text, merges: false };
  }
  if (!isScalar(key)) throw new YamlProblem("a key must be a text, not a mapping or a list", offsetOf(key ?? parent));
  const node = convert(key, reading, 0);
  if (node.is === "tagged") throw new YamlProblem("a key must not have a tag", offsetOf(key));
  if (node.is === "text") return checkedKey({ written: node.value, text: node.value, merges: false }, key);
  if (node.is !== "plain") throw new YamlProblem("a key must be a text", offsetOf(key));
  if (node.source === "<<") return { written: "<<", text: "<<", merges: true };
  const text = keyOfPlain(node.source);
  if (text === null) {
    throw new YamlProblem(`the key ${JSON.stringify(node.source)} would not be read as it is written; put it in quotes`, offsetOf(key));
  }
  return checkedKey({ written: node.source, text, merges: false }, key);
}

function checkedKey(key: Key, node: unknown): Key {
  if (key.text.length > KEY_CHARS_MAX) throw new YamlProblem(`a key is longer than ${KEY_CHARS_MAX} characters`, offsetOf(node));
  return key;
}

function plus(a: Size, b: Size): Size {
  return { nodes: a.nodes + b.nodes, chars: a.chars + b.chars };
}

function minus(a: Size, b: Size): Size {
  return { nodes: a.nodes - b.nodes, chars: a.chars - b.chars };
}
