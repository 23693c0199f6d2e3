/**
 * YAML text to a `Tree`. The scalars follow the resolution of Go's YAML library where it differs from YAML 1.2 (`0123`
 * is octal, `1_000` a number), and keys written with the delimiter `::` nest, because files of the Go supervisor may
 * use both.
 */
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, Scalar as YamlScalar, YAMLError, YAMLMap, YAMLSeq } from "yaml";
import { FILE_START, nullAt } from "./settings-tree.js";
import type { Entry, List, Mapping, Place, ScalarValue, Tree } from "./settings-tree.js";
import { addEntry } from "./settings-nest.js";
import type { Nesting } from "./settings-nest.js";
import { syntaxText } from "./settings-syntax.js";

/** Aliases multiply; a settings file of a page has a few hundred values. */
const TREE_NODES_MAX = 50_000;
const TREE_DEPTH_MAX = 50;

export interface Complaint {
  readonly place: Place;
  readonly text: string;
}

export interface ParsedYaml {
  /** Null at the start of the file when there is nothing in it. */
  readonly tree: Tree;
  /** When not empty, `tree` is not to be used. */
  readonly complaints: readonly Complaint[];
  /** Documents behind the first one, which Go ignores. */
  readonly ignoredDocuments: number;
}

export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const documents = parseDocuments(text, lines);
  const first = documents[0];
  if (first === undefined) return { tree: nullAt(FILE_START), complaints: [], ignoredDocuments: 0 };
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const complaints: Complaint[] = [];
  const complain = (complaint: Complaint): void => void complaints.push(complaint);
  const walk: Walk = { document: first, placeAt, complain, fromPath: new WeakSet(), nodes: 0, overflow: false };
  for (const error of first.errors) {
    const place = placeAt(error.pos[0]);
    // One mistake confuses the parser several times in a line; the first words are the ones that help.
    if (complaints.at(-1)?.place.line === place.line) continue;
    const open = unclosedQuote(first, error);
    complain({ place: open === null ? place : placeAt(open), text: syntaxText(open === null ? error.code : "UNCLOSED_QUOTE", error.message) });
  }
  const nothing = nullAt(FILE_START);
  const tree = first.errors.length > 0 ? nothing : treeOf(walk, first.contents, FILE_START, 0);
  const ignoredDocuments = documents.slice(1).filter((document) => document.contents !== null).length;
  return { tree, complaints, ignoredDocuments };
}

function parseDocuments(text: string, lineCounter: LineCounter): Document.Parsed[] {
  // The library's own check of unique keys is quadratic; `addEntry` has one of its own.
  const options = { lineCounter, prettyErrors: false, uniqueKeys: false, intAsBigInt: true, logLevel: "silent" } as const;
  return Array.from<Document.Parsed>(parseAllDocuments(text, options));
}

/** A quote that is never closed is noticed at the end of the file; where it begins is what helps. */
function unclosedQuote(document: Document.Parsed, error: YAMLError): number | null {
  if (!error.message.startsWith("Missing closing")) return null;
  let begin: number | null = null;
  visit(document, {
    Scalar(_key, node) {
      const range = node.range;
      if (range && range[0] < error.pos[0] && node.type?.startsWith("QUOTE") === true) begin = range[0];
    },
  });
  return begin;
}

interface Walk extends Nesting {
  readonly document: Document.Parsed;
  readonly placeAt: (offset: number) => Place;
  nodes: number;
  overflow: boolean;
}

function treeOf(walk: Walk, node: unknown, parent: Place, depth: number): Tree {
  walk.nodes += 1;
  const place = placeOf(walk, node) ?? parent;
  if (walk.nodes > TREE_NODES_MAX || depth > TREE_DEPTH_MAX) {
    if (!walk.overflow) {
      const text = depth > TREE_DEPTH_MAX ? `nested deeper than ${TREE_DEPTH_MAX} levels` : `more than ${TREE_NODES_MAX} values`;
      walk.complain({ place, text: `${text}, which no settings file needs (an alias that repeats itself?)` });
      walk.overflow = true;
    }
    return nullAt(place);
  }
  if (isAlias(node)) return treeOfAlias(walk, node, place, depth);
  if (isMap(node)) return mappingOf(walk, node, place, depth);
  if (isSeq(node)) return listOf(walk, node, place, depth);
  if (isScalar(node)) return { is: "scalar", place, origin: null, value: scalarValue(node), source: node.source ?? "" };
  return nullAt(place);
}

function placeOf(walk: Walk, node: unknown): Place | null {
  if (!isScalar(node) && !isCollection(node) && !isAlias(node)) return null;
  return node.range ? walk.placeAt(node.range[0]) : null;
}

function treeOfAlias(walk: Walk, alias: Alias, place: Place, depth: number): Tree {
  const target = alias.resolve(walk.document);
  if (target === undefined) {
    walk.complain({ place, text: "an alias (*) of an anchor (&) that does not exist; quote the value when it is a text" });
    return nullAt(place);
  }
  // What is wrong with the copy is shown where it is used.
  return { ...treeOf(walk, target, place, depth + 1), place };
}

function listOf(walk: Walk, node: YAMLSeq, place: Place, depth: number): List {
  return { is: "list", place, origin: null, items: node.items.map((item) => treeOf(walk, item, place, depth + 1)) };
}

function mappingOf(walk: Walk, node: YAMLMap, place: Place, depth: number): Mapping {
  const entries = new Map<string, Entry>();
  const merged: Tree[] = [];
  for (const pair of node.items) {
    const keyPlace = placeOf(walk, pair.key) ?? place;
    const value = treeOf(walk, pair.value, keyPlace, depth + 1);
    if (!isScalar(pair.key)) {
      walk.complain({ place: keyPlace, text: "a key must be a plain word, not a list or a mapping (a value that starts with { or [ or * needs quotes)" });
      continue;
    }
    if (pair.key.value === "<<" && pair.key.type === "PLAIN") {
      merged.push(...(value.is === "list" ? value.items : [value]));
      continue;
    }
    const key = pair.key.source ?? String(pair.key.value);
    addEntry(entries, { key, place: keyPlace, value }, walk);
  }
  for (const tree of merged) {
    // The mapping's own keys win over those that a merge key brings in.
    for (const entry of tree.is === "mapping" ? tree.entries : []) {
      if (!entries.has(entry.key)) entries.set(entry.key, entry);
    }
  }
  return { is: "mapping", place, origin: null, entries: [...entries.values()] };
}

function scalarValue(node: YamlScalar): ScalarValue {
  const { value, source } = node;
  if (node.type === "PLAIN" && node.tag === undefined && source !== undefined) {
    const integer = goInteger(source);
    if (integer !== null) return narrow(integer);
  }
  if (typeof value === "bigint") return narrow(value);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return null;
}

/** Integers as Go's YAML library reads them: base by prefix, a leading zero is octal, underscores are ignored. */
function goInteger(source: string): bigint | null {
  const match = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(source.replaceAll("_", ""));
  const digits = match?.[2];
  if (digits === undefined || !/^[-+]?\d/.test(source)) return null;
  const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match?.[1] === "-" ? -magnitude : magnitude;
}

function narrow(value: bigint): bigint | number {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}
