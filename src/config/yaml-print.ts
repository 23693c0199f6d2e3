/**
 * Prints a tree as YAML that Go's library and every other one reads alike. Keys are sorted, so that equal content gives
 * equal bytes whatever the order of the layers; plain scalars appear as they were written.
 */
import { isUndoubtedText } from "./yaml-scalar.js";
import type { ConfigList, ConfigMap, ConfigNode } from "./yaml-node.js";

export function printYaml(root: ConfigNode): string {
  const parts: string[] = [];
  if (root.is === "map" && root.entries.size > 0) printMap(root, "", "", parts);
  else if (root.is === "list" && root.items.length > 0) printList(root, "", "", parts);
  else parts.push(printScalar(root, ""), "\n");
  return parts.join("");
}

const STEP = "  ";

/** @param first what stands in front of the first key instead of the indentation: "" after a "- ". */
function printMap(node: ConfigMap, indent: string, first: string, parts: string[]): void {
  let lead = first;
  for (const key of [...node.entries.keys()].sort()) {
    const value = node.entries.get(key);
    if (value === undefined) continue;
    parts.push(lead, isUndoubtedText(key) ? key : quote(key), ":");
    printValue(value, indent, parts);
    lead = indent;
  }
}

function printList(node: ConfigList, indent: string, first: string, parts: string[]): void {
  let lead = first;
  const inner = indent + STEP;
  for (const item of node.items) {
    parts.push(lead, "- ");
    if (item.is === "map" && item.entries.size > 0) printMap(item, inner, "", parts);
    else if (item.is === "list" && item.items.length > 0) printList(item, inner, "", parts);
    else parts.push(printScalar(item, inner), "\n");
    lead = indent;
  }
}

function printValue(value: ConfigNode, indent: string, parts: string[]): void {
  const inner = indent + STEP;
  if (value.is === "map" && value.entries.size > 0) {
    parts.push("\n");
    printMap(value, inner, inner, parts);
  } else if (value.is === "list" && value.items.length > 0) {
    parts.push("\n");
    printList(value, inner, inner, parts);
  } else {
    parts.push(" ", printScalar(value, inner), "\n");
  }
}

function printScalar(node: ConfigNode, indent: string): string {
  switch (node.is) {
    case "plain":
      return node.source === "" ? "null" : node.source;
    case "text":
      if (isUndoubtedText(node.value)) return node.value;
      return isBlock(node.value) ? block(node.value, indent) : quote(node.value);
    case "tagged":
      return `${node.tag} ${quote(node.value)}`;
    case "map":
      return "{}";
    case "list":
      return "[]";
  }
}

/** Texts of several lines that a literal block holds without any doubt about indentation and line ends. */
function isBlock(value: string): boolean {
  return /^[^\s][^]*[^\s]\n?$/.test(value) && value.trimEnd().includes("\n") && !UNPRINTABLE.test(value) && !value.includes("\r");
}

function block(value: string, indent: string): string {
  const kept = value.endsWith("\n");
  const lines = (kept ? value.slice(0, -1) : value).split("\n");
  return [kept ? "|" : "|-", ...lines.map((line) => (line === "" ? "" : indent + line))].join("\n");
}

/**
 * Single quotes where double ones would need escapes, as in a filter's condition. JSON's escapes are a part of YAML's; what
 * YAML readers refuse or take for a line break is escaped as well.
 */
function quote(value: string): string {
  if (/["\\]/.test(value) && !UNPRINTABLE.test(value) && !/[\t\n\r]/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value).replace(UNPRINTABLE_ALL, escape);
}

function escape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const UNPRINTABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;
const UNPRINTABLE_ALL = new RegExp(UNPRINTABLE.source, "g");
