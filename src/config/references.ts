/**
 * The `${...}` of a Collector's configuration. The Collector replaces them when it reads its file, so what it reports as
 * its configuration shows the values; to hide these again one has to know where a reference stood.
 */
export type Part =
  | { readonly is: "literal"; readonly text: string }
  | { readonly is: "reference"; readonly source: string; readonly body: string };

/** A text as its literal parts and its outermost references. An odd number of `$` in front of `${` escapes it. */
export function splitReferences(text: string): Part[] {
  const parts: Part[] = [];
  let literalFrom = 0;
  let at = text.indexOf("${");
  while (at >= 0) {
    const end = dollarsBefore(text, at) % 2 === 0 ? closing(text, at) : -1;
    if (end >= 0) {
      if (at > literalFrom) parts.push({ is: "literal", text: text.slice(literalFrom, at) });
      parts.push({ is: "reference", source: text.slice(at, end), body: text.slice(at + 2, end - 1) });
      literalFrom = end;
    }
    at = text.indexOf("${", end >= 0 ? end : at + 2);
  }
  if (literalFrom < text.length) parts.push({ is: "literal", text: text.slice(literalFrom) });
  return parts;
}

export function hasReference(text: string): boolean {
  return text.includes("${") && splitReferences(text).some((part) => part.is === "reference");
}

export type Target =
  | { readonly is: "variable"; readonly name: string; readonly fallback: string | null }
  | { readonly is: "file"; readonly path: string }
  /** Nested references, and schemes whose values cannot be known here. */
  | { readonly is: "unknown" };

/** @param body what stands between the braces. */
export function targetOf(body: string): Target {
  if (body.includes("${")) return { is: "unknown" };
  if (body.startsWith("file:")) return { is: "file", path: body.slice("file:".length) };
  const variable = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body);
  if (variable?.[1] === undefined) return { is: "unknown" };
  return { is: "variable", name: variable[1], fallback: variable[2] ?? null };
}

/** Every outermost reference, and every one nested inside another, of a whole file. Each once. */
export function allReferences(text: string): { readonly source: string; readonly body: string }[] {
  const found = new Map<string, string>();
  const visit = (inner: string): void => {
    for (const part of splitReferences(inner)) {
      if (part.is === "literal" || found.has(part.source)) continue;
      found.set(part.source, part.body);
      visit(part.body);
    }
  };
  visit(text);
  return [...found].map(([source, body]) => ({ source, body }));
}

/** Behind the `}` that ends the reference which begins at `start`, -1 where there is none. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith("${", at)) {
      depth += 1;
      at += 1;
    } else if (text[at] === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (at - start > REFERENCE_CHARS_MAX) {
      return -1;
    }
  }
  return -1;
}

/** A longer one is no reference but a text with an unbalanced brace, which must not cost quadratic time. */
const REFERENCE_CHARS_MAX = 4096;

function dollarsBefore(text: string, index: number): number {
  let count = 0;
  while (text[index - 1 - count] === "$") count += 1;
  return count;
}
