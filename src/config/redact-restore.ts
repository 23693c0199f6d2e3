/**
 * Lays the composed text over the reported one: where a reference stood, the reference stands again. On the way the values
 * of references are learnt, since the Collector may have copied them to other places.
 */
import { isWorthHiding } from "./redact-text.js";
import { hasReference, splitReferences, targetOf } from "./references.js";
import { scalarText, text, type ConfigNode } from "./yaml-node.js";

/** A shorter value out of a whole file is more likely a word of the configuration than a secret. */
const LEAF_CHARS_MIN = 12;

export function restore(reported: ConfigNode, composed: ConfigNode | undefined, known: Map<string, string>): ConfigNode {
  if (composed === undefined) return reported;
  const written = scalarText(composed);
  if (written !== null) {
    if (!hasReference(written)) return reported;
    learn(reported, written, known);
    return text(written);
  }
  if (reported.is === "map" && composed.is === "map") {
    const entries = [...reported.entries].map(([key, value]) => [key, restore(value, composed.entries.get(key), known)] as const);
    return { is: "map", entries: new Map(entries) };
  }
  if (reported.is === "list" && composed.is === "list" && reported.items.length === composed.items.length) {
    return { is: "list", items: reported.items.map((item, index) => restore(item, composed.items[index], known)) };
  }
  return reported;
}

/** From `prefix${env:X}suffix` and what became of it follows the value of X. */
function learn(reported: ConfigNode, written: string, known: Map<string, string>): void {
  const value = scalarText(reported);
  const parts = splitReferences(written);
  const references = parts.filter((part) => part.is === "reference");
  const [reference] = references;
  if (reference === undefined) return;
  if (value === null) return learnLeaves(reported, written, known);
  if (references.length > 1) return;
  const at = parts.indexOf(reference);
  const before = literalOf(parts[at - 1]);
  const after = literalOf(parts[at + 1]);
  if (value.length < before.length + after.length || !value.startsWith(before) || !value.endsWith(after)) return;
  const inner = value.slice(before.length, value.length - after.length);
  const target = targetOf(reference.body);
  // A default that was used stands in the configuration for all to read.
  if (target.is !== "variable" || target.fallback !== inner) addKnown(known, inner, reference.source);
}

function learnLeaves(node: ConfigNode, source: string, known: Map<string, string>): void {
  if (node.is === "map") for (const value of node.entries.values()) learnLeaves(value, source, known);
  else if (node.is === "list") for (const item of node.items) learnLeaves(item, source, known);
  else {
    const value = scalarText(node) ?? "";
    if (value.length >= LEAF_CHARS_MIN) addKnown(known, value, source);
  }
}

export function addKnown(known: Map<string, string>, value: string, source: string): void {
  const quoted = escaped(value);
  for (const form of [value, value.trim(), encoded(value), quoted, escaped(quoted)]) {
    if (isWorthHiding(form) && !known.has(form)) known.set(form, source);
  }
}

/** As it stands between quotes in an error of the Collector, and once more in a log line that holds this error. */
function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** As it stands in a URL. */
function encoded(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}

function literalOf(part: ReturnType<typeof splitReferences>[number] | undefined): string {
  return part?.is === "literal" ? part.text.replaceAll("$$", "$") : "";
}

/** What is YAML gives its values; any other its lines too, since the last lines of an output may hold a part of it only. */
export function learnContent(content: string, source: string, known: Map<string, string>, parse: (text: string) => ConfigNode | null): void {
  addKnown(known, content, source);
  const tree = parse(content);
  if (tree !== null && (tree.is === "map" || tree.is === "list")) return learnLeaves(tree, source, known);
  for (const line of content.split("\n")) if (line.trim().length >= LEAF_CHARS_MIN) addKnown(known, line.trim(), source);
}
