/**
 * One value of the file as the type that its key wants. Typing is strict, as in Go: a number is not a text. A value that
 * came from a reference is both, its text and what that means as YAML, and each field takes what it needs.
 */
import { parseDuration } from "./duration.js";
import type { Scalar, Tree } from "./settings-tree.js";

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

export function readText(tree: Tree): Read<string> {
  if (tree.origin !== null) return plain(tree.origin.text);
  if (tree.is === "scalar" && tree.value === null) return { ok: true, value: "" };
  if (tree.is === "scalar" && typeof tree.value === "string") return plain(tree.value);
  const isScalar = tree.is === "scalar";
  return { ok: false, expected: isScalar ? `expected a text but found ${nameOf(tree)}; put it in quotes` : `expected a text but found ${nameOf(tree)}` };
}

function plain(value: string): Read<string> {
  // No path, header, argument or address may hold it, and the system's calls fail in odd ways.
  return value.includes("\0") ? { ok: false, expected: "expected a text without NUL characters" } : { ok: true, value };
}

export function readBoolean(tree: Tree): Read<boolean> {
  if (tree.is === "scalar" && typeof tree.value === "boolean") return { ok: true, value: tree.value };
  if (tree.is === "scalar" && tree.value === null) return { ok: true, value: false };
  const isWord = tree.is === "scalar" && typeof tree.value === "string" && /^(true|false|yes|no|on|off)$/i.test(tree.value);
  return { ok: false, expected: `expected true or false${isWord ? ", without quotes," : ""} but found ${foundIn(tree)}` };
}

export function readInteger(tree: Tree): Read<number> {
  if (tree.is === "scalar" && typeof tree.value === "number" && Number.isSafeInteger(tree.value)) return { ok: true, value: tree.value };
  if (tree.is === "scalar" && tree.value === null) return { ok: true, value: 0 };
  const isDigits = tree.is === "scalar" && typeof tree.value === "string" && /^\d+$/.test(tree.value);
  return { ok: false, expected: `expected a whole number${isDigits ? " without quotes" : ""} but found ${foundIn(tree)}` };
}

export interface DurationRead {
  readonly nanoseconds: number;
  /** A bare integer: nanoseconds, as Go reads it, and hardly ever what was meant. */
  readonly bare: boolean;
}

export function readDuration(tree: Tree): Read<DurationRead> {
  const example = "expected a duration such as 30s, 1m30s or 500ms";
  if (tree.is !== "scalar") return { ok: false, expected: `${example} but found ${foundIn(tree)}` };
  if (tree.value === null) return { ok: true, value: { nanoseconds: 0, bare: false } };
  if (typeof tree.value === "string") {
    const parsed = parseDuration(tree.value);
    if (!parsed.ok) return { ok: false, expected: `${shown(tree)} ${parsed.reason}; ${example}` };
    return { ok: true, value: { nanoseconds: parsed.nanoseconds, bare: false } };
  }
  const whole = readInteger(tree);
  if (!whole.ok) return { ok: false, expected: `${example} but found ${foundIn(tree)}` };
  return { ok: true, value: { nanoseconds: whole.value, bare: whole.value !== 0 } };
}

/** A list of texts; a single text is split at its commas, as Go does. */
export function readTexts(tree: Tree): Read<readonly string[]> {
  if (tree.is !== "list") {
    const text = readText(tree);
    if (!text.ok) return { ok: false, expected: text.expected.replace("expected a text but", "expected a text or a list of texts but") };
    return { ok: true, value: text.value === "" ? [] : text.value.split(",") };
  }
  const values: string[] = [];
  for (const [index, item] of tree.items.entries()) {
    const text = readText(item);
    if (!text.ok) return { ok: false, expected: `entry ${index + 1}: ${text.expected}` };
    values.push(text.value);
  }
  return { ok: true, value: values };
}

/** What a value is, never the value itself: it may be a secret in the wrong place. */
export function nameOf(tree: Tree): string {
  if (tree.is === "list") return "a list";
  if (tree.is === "mapping") return "a mapping";
  switch (typeof tree.value) {
    case "string":
      return tree.value === "" ? "an empty text" : "a text";
    case "boolean":
      return "a truth value";
    case "number":
    case "bigint":
      return "a number";
    default:
      return "nothing";
  }
}

/** Only for keys that hold no secrets: it names the reference that a wrong value came from. */
function foundIn(tree: Tree): string {
  const name = tree.is === "scalar" && typeof tree.value === "number" && !Number.isInteger(tree.value) ? "a fraction" : nameOf(tree);
  return tree.origin === null ? name : `${name} (from ${shown(tree)})`;
}

const SHOWN_CHARS_MAX = 60;

/** The value as it stands in the file, for keys that hold no secrets: a reference is shown, not what it gave. */
export function shown(tree: Tree): string {
  const text = tree.origin?.reference ?? (tree.is === "scalar" ? written(tree) : null);
  if (text === null) return nameOf(tree);
  return JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);
}

function written(scalar: Scalar): string {
  return typeof scalar.value === "string" ? scalar.value : scalar.source;
}
