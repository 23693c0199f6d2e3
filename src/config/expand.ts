/**
 * Expands `${NAME}`, `${env:NAME}`, `${env:NAME:-text}` and `${file:PATH}` in the values (never the keys) of
 * `supervisor.yaml`, by the rules of the Collector's own configuration. Inner references come first, a value that is one
 * whole reference is parsed as YAML and keeps its text too, `$$` becomes `$` at the very end, `$NAME` is not touched.
 */
import { SupervisorError, messageOf } from "../lib/error.js";
import { findReference, resolveReference } from "./expand-reference.js";
import type { ReferenceSources } from "./expand-reference.js";
import { parseYaml } from "./settings-parse.js";
import type { Origin, Scalar, Tree } from "./settings-tree.js";

/** Rounds for one value, as Go. */
const ROUNDS_MAX = 1_000;
/** References in one file: bounds files that include files. */
const REFERENCES_MAX = 10_000;
const VALUE_CHARS_MAX = 1_000_000;

export interface Expansion extends ReferenceSources {
  /** Told of a reference that cannot be resolved; the value then counts as absent. */
  readonly fail: (scalar: Scalar, path: string, text: string) => void;
  /** Told of each use of a variable that is not set and has no default. */
  readonly unset: (scalar: Scalar, path: string, name: string) => void;
}

export function expandTree(tree: Tree, expansion: Expansion): Tree {
  const course: Course = { expansion, references: 0 };
  return expandNode(course, tree, "", 0);
}

interface Course {
  readonly expansion: Expansion;
  references: number;
}

function expandNode(course: Course, tree: Tree, path: string, depth: number): Tree {
  switch (tree.is) {
    case "list":
      return { ...tree, items: tree.items.map((item, index) => expandNode(course, item, `${path}[${index}]`, depth)) };
    case "mapping":
      return {
        ...tree,
        entries: tree.entries.map((entry) => {
          const inner = path === "" ? entry.key : `${path}.${entry.key}`;
          return { ...entry, value: expandNode(course, entry.value, inner, depth) };
        }),
      };
    case "scalar":
      if (typeof tree.value !== "string" || !tree.value.includes("$")) return tree;
      return expandScalar(course, tree, tree.value, path, depth);
  }
}

function expandScalar(course: Course, scalar: Scalar, text: string, path: string, depth: number): Tree {
  try {
    return expandText(course, scalar, text, path, depth);
  } catch (error) {
    // What fails inside of a file or variable that was pulled in is one failure, at the reference in the settings file.
    if (!(error instanceof SupervisorError) || depth > 0) throw error;
    course.expansion.fail(scalar, path, messageOf(error));
    return { ...scalar, value: null };
  }
}

function expandText(course: Course, scalar: Scalar, written: string, path: string, depth: number): Tree {
  let text = written;
  let whole = false;
  for (let round = 0; ; round++) {
    const found = findReference(text);
    if (found === null) break;
    course.references += 1;
    if (round >= ROUNDS_MAX || depth >= ROUNDS_MAX / 10 || course.references > REFERENCES_MAX) {
      throw new SupervisorError("settings", "too many recursive expansions; a variable or file seems to refer to itself");
    }
    const retrieved = resolveReference(text.slice(found.start + 2, found.end - 1), course.expansion, (name) => {
      course.expansion.unset(scalar, path, name);
    });
    whole = found.start === 0 && found.end === text.length;
    if (whole) {
      const tree = parsedValue(scalar, retrieved, written);
      if (tree !== null) return expandParsed(course, tree, scalar, path, depth);
    }
    text = text.slice(0, found.start) + retrieved + text.slice(found.end);
    if (text.length > VALUE_CHARS_MAX) {
      throw new SupervisorError("settings", `a value of more than ${VALUE_CHARS_MAX} characters after expansion`);
    }
  }
  const value = text.replaceAll("$$", "$");
  const origin = text === written ? null : { text: value, reference: written };
  return { ...scalar, value, origin };
}

/** Null when the text of a whole reference is a plain text, or not YAML at all, and so stays as it is. */
function parsedValue(scalar: Scalar, text: string, written: string): Tree | null {
  const { tree, complaints } = parseYaml(text);
  if (complaints.length > 0) return null;
  if (tree.is === "scalar" && typeof tree.value === "string") return null;
  return relocated(tree, scalar, { text, reference: written });
}

/** Lines of a file or variable that was pulled in mean nothing to the reader of the settings file. */
function relocated(tree: Tree, scalar: Scalar, origin: Origin | null): Tree {
  const { place } = scalar;
  switch (tree.is) {
    case "list":
      return { ...tree, place, origin, items: tree.items.map((item) => relocated(item, scalar, null)) };
    case "mapping":
      return {
        ...tree,
        place,
        origin,
        entries: tree.entries.map((entry) => ({ key: entry.key, place, value: relocated(entry.value, scalar, null) })),
      };
    case "scalar":
      return { ...tree, place, origin };
  }
}

/** A number, list or mapping that a reference gave: its own references are expanded, and those of its text as well. */
function expandParsed(course: Course, tree: Tree, scalar: Scalar, path: string, depth: number): Tree {
  const expanded = expandNode(course, tree, path, depth + 1);
  const { origin } = tree;
  if (origin?.text.includes("${") !== true) {
    return { ...expanded, origin: origin && { ...origin, text: origin.text.replaceAll("$$", "$") } };
  }
  const text = expandText(course, scalar, origin.text, path, depth + 1);
  return { ...expanded, origin: { ...origin, text: text.origin?.text ?? origin.text } };
}
