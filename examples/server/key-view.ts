/**
 * "I wrote these keys: what are they now?" For each key of the configuration that was sent, its value in the effective
 * configuration; whatever stands beside it there comes from defaults or local files and is folded away.
 */
import { parseDocument, stringify } from "yaml";
import { messageOf } from "../../src/lib/error.js";

export interface NamedText {
  readonly name: string;
  readonly body: string;
}

export type KeyState =
  /** The Collector runs what was sent. */
  | "same"
  | "different"
  /**
   * The effective configuration does not have it. That is no error yet: some components of the Collector keep parts of
   * what they were given out of their report, the scrapers of hostmetrics for one.
   */
  | "missing"
  /** Nothing but the key was sent; its defaults run. */
  | "defaults"
  /** The agent does not show the value. */
  | "hidden"
  /** A reference such as `${env:X}` was sent and a value runs. */
  | "expanded";

export type KeyRow =
  | { readonly is: "key"; readonly path: readonly string[]; readonly sent: string; readonly effective: string | null; readonly state: KeyState }
  /** What else runs under this path, as YAML. */
  | { readonly is: "defaults"; readonly path: readonly string[]; readonly count: number; readonly yaml: string };

export type KeyView = { readonly is: "rows"; readonly rows: readonly KeyRow[]; readonly isCut: boolean } | { readonly is: "unknown"; readonly why: string };

/** Larger ones would keep the server busy for seconds. */
const TEXT_BYTES_MAX = 512 * 1024;
const ROWS_MAX = 2_000;
const ALIASES_MAX = 100;
const REDACTED = /^\[?redacted\]?$|^\*+$/i;

export function keyView(sent: readonly NamedText[], effective: readonly NamedText[]): KeyView {
  const size = [...sent, ...effective].reduce((sum, file) => sum + file.body.length, 0);
  if (size > TEXT_BYTES_MAX) return { is: "unknown", why: "the configuration is too large to be compared here" };
  try {
    const wanted = mergeFiles(sent);
    const running = mergeFiles(effective);
    const rows: KeyRow[] = [];
    compare(wanted, running, [], rows);
    return { is: "rows", rows: rows.slice(0, ROWS_MAX), isCut: rows.length > ROWS_MAX };
  } catch (error) {
    return { is: "unknown", why: messageOf(error) };
  }
}

/** The first thing that is wrong with the YAML of a file, for a hint beside the editor; null: nothing. */
export function yamlProblem(body: string): string | null {
  if (body.length > TEXT_BYTES_MAX) return null;
  const [error] = parseDocument(body, { uniqueKeys: false }).errors;
  return error === undefined ? null : (error.message.split("\n")[0] ?? error.message);
}

type Tree = Map<unknown, unknown>;

/** In the order of the supervisor: by name, the nameless file last. Maps are merged, everything else is replaced. */
function mergeFiles(files: readonly NamedText[]): Tree {
  const sorted = files.toSorted((one, other) => (one.name === "" ? 1 : other.name === "" ? -1 : one.name < other.name ? -1 : 1));
  return sorted.reduce<Tree>((merged, file) => merge(merged, parse(file)), new Map());
}

function parse(file: NamedText): Tree {
  const document = parseDocument(file.body, { uniqueKeys: false, intAsBigInt: true });
  const [error] = document.errors;
  const name = file.name === "" ? "the configuration" : file.name;
  if (error !== undefined) throw new Error(`${name} is not YAML: ${error.message.split("\n")[0] ?? ""}`);
  const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: ALIASES_MAX });
  if (value === null || value === undefined) return new Map();
  if (!(value instanceof Map)) throw new Error(`${name} is not a map of keys`);
  return value;
}

function merge(base: Tree, over: Tree): Tree {
  const merged = new Map(base);
  for (const [key, value] of over) {
    const old = merged.get(key);
    merged.set(key, old instanceof Map && value instanceof Map ? merge(old, value) : value);
  }
  return merged;
}

function compare(sent: Tree, effective: Tree, path: readonly string[], rows: KeyRow[]): void {
  for (const [key, value] of sent) {
    const here = [...path, String(key)];
    const running = lookUp(effective, key);
    if (value instanceof Map && value.size > 0) {
      compare(value, running instanceof Map ? running : new Map(), here, rows);
      continue;
    }
    rows.push(keyRow(here, value, running));
    if (running instanceof Map && running.size > 0) rows.push(defaultsRow(here, running));
  }
  const known = new Set([...sent.keys()].map(String));
  const rest = new Map([...effective].filter(([key]) => !known.has(String(key))));
  // At the top, sections that were not sent are somebody else's; beneath, they belong to what was sent.
  if (rest.size > 0 && path.length > 0) rows.push(defaultsRow(path, rest));
}

/** Keys are texts for the Collector, whatever YAML makes of them. */
function lookUp(tree: Tree, key: unknown): unknown {
  if (tree.has(key)) return tree.get(key);
  return [...tree].find(([other]) => String(other) === String(key))?.[1];
}

function defaultsRow(path: readonly string[], rest: Tree): KeyRow {
  return { is: "defaults", path, count: rest.size, yaml: stringify(rest) };
}

function keyRow(path: readonly string[], sent: unknown, effective: unknown): KeyRow {
  const isBare = sent === null || sent instanceof Map;
  const shown = effective === undefined ? null : effective instanceof Map && effective.size > 0 ? "(defaults)" : oneLine(effective);
  return { is: "key", path, sent: isBare ? "" : oneLine(sent), effective: shown, state: stateOf(sent, effective, isBare) };
}

function stateOf(sent: unknown, effective: unknown, isBare: boolean): KeyState {
  if (effective === undefined) return "missing";
  if (isBare) return effective === null || (effective instanceof Map && effective.size === 0) ? "same" : "defaults";
  if (plain(sent) === plain(effective)) return "same";
  if (typeof effective === "string" && REDACTED.test(effective)) return "hidden";
  return typeof sent === "string" && sent.includes("${") ? "expanded" : "different";
}

function oneLine(value: unknown): string {
  return flow(value, String);
}

/** Equal texts for equal meanings: `60s` is `1m0s`, `1` is `"1"`, and the Collector writes its words its own way (`Detailed`). */
function plain(value: unknown): string {
  return flow(value, meaning);
}

function flow(value: unknown, scalar: (value: unknown) => string): string {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, scalar)).join(", ")}]`;
  if (!(value instanceof Map)) return scalar(value);
  return `{${[...value].map(([key, item]) => `${String(key)}: ${flow(item, scalar)}`).join(", ")}}`;
}

function meaning(value: unknown): string {
  const text = String(value);
  const nanos = durationNanos(text);
  if (nanos !== null) return `${nanos} ns`;
  return /^[A-Za-z]+$/.test(text) ? text.toLowerCase() : text;
}

const UNIT_NANOS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3_600e9 };

function durationNanos(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return null;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_NANOS[unit ?? ""] ?? 0), 0);
}
