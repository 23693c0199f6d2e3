/**
 * Reads one YAML file of a Collector's configuration into a tree, refusing what Go's library would refuse and what would
 * lose something in silence. Hostile input costs bounded time and memory: depth, and what aliases multiply, have limits.
 */
import { isScalar, LineCounter, parseAllDocuments, type Document } from "yaml";
import { SupervisorError } from "../lib/error.js";
import { syntaxText } from "./settings-syntax.js";
import { convertYaml, KEY_CHARS_MAX } from "./yaml-convert.js";
import { nestKeys } from "./yaml-nest.js";
import type { ConfigNode } from "./yaml-node.js";
import { YamlProblem } from "./yaml-problem.js";

/**
 * The root, null for an empty file.
 * @param name how messages call the file.
 * @throws SupervisorError "config-refused" with name, line, column and reason.
 */
export function readYaml(source: string, name: string): ConfigNode | null {
  const lineBreak = ODD_LINE_BREAK.exec(source);
  if (lineBreak !== null) throw refused(source, name, lineBreak.index, ODD_LINE_BREAK_TEXT);
  try {
    const document = onlyDocument(source);
    if (document === null || document.contents === null) return null;
    return nestKeys(convertYaml(document.contents, source), name);
  } catch (error) {
    if (error instanceof YamlProblem) throw refused(source, name, error.offset, error.message);
    if (error instanceof RangeError) throw refused(source, name, 0, "nested too deeply");
    throw error;
  }
}

/**
 * Go takes these for ends of a line and this library does not, so the two would read different files.
 * As escapes in a double-quoted text they are fine.
 */
const ODD_LINE_BREAK = /[\u0085\u2028\u2029]|\r(?!\n)/;
const ODD_LINE_BREAK_TEXT =
  "an unusual line break (a lone carriage return, U+0085, U+2028 or U+2029); use line feeds, or an escape in double quotes";

function onlyDocument(source: string): Document.Parsed | null {
  const documents = parseAllDocuments(source, {
    schema: "failsafe",
    resolveKnownTags: false,
    merge: false,
    // The library compares every key with every other one; `convertYaml` checks with a set.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const stream = "empty" in documents ? [documents] : documents;
  // A line that begins with % and is no directive is skipped by the library, and with it what somebody wrote.
  const directive = stream.flatMap(({ warnings }) => warnings).find(({ code }) => code === "BAD_DIRECTIVE");
  if (directive !== undefined) throw new YamlProblem("a line that begins with % is no YAML", directive.pos[0]);
  const used = documents.filter((document) => !isBlank(document) || document.errors.length > 0);
  for (const document of used) {
    const [error] = document.errors;
    if (error !== undefined) throw new YamlProblem(reasonOf(error), error.pos[0]);
  }
  const second = used[1];
  if (second !== undefined) {
    throw new YamlProblem("more than one YAML document in the file, of which the Collector would read only the first; join them", second.range[0]);
  }
  return used[0] ?? null;
}

function reasonOf({ code, message }: { readonly code: string; readonly message: string }): string {
  if (/^Flow (?:map|sequence)/.test(message)) return "not valid YAML: an opening [ or { has no closing one";
  return code === "KEY_OVER_1024_CHARS" ? `a key is longer than ${KEY_CHARS_MAX} characters` : syntaxText(code, message);
}

/** What a closing "---" leaves behind. */
function isBlank({ contents }: Document.Parsed): boolean {
  return contents === null || (isScalar(contents) && contents.source === "" && contents.type === "PLAIN");
}

function refused(source: string, name: string, offset: number, reason: string): SupervisorError {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = source.indexOf("\n"); at >= 0 && at < offset; at = source.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  const { line, col } = lines.linePos(offset);
  return new SupervisorError("config-refused", `${name}, line ${line}, column ${col}: ${reason}`);
}
