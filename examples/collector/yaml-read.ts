/**
 * YAML text to a `ConfigValue`, with the words of the Collector's YAML library for what is wrong with it. Both libraries
 * find the same mistakes but name them differently; the frequent ones are translated, the rest say so.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node, type YAMLError } from "yaml";
import { plain, type ConfigMap, type ConfigValue } from "./value.js";

export type YamlResult = { readonly ok: true; readonly value: ConfigValue } | { readonly ok: false; readonly error: string };

class YamlMistake extends Error {}

export function readYaml(text: string): YamlResult {
  // A control character is refused before anything is parsed.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) return { ok: false, error: "yaml: control characters are not allowed" };
  if (text.includes("\ufffd")) return { ok: false, error: "yaml: invalid leading UTF-8 octet" };
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { intAsBigInt: true, uniqueKeys: false, merge: true, lineCounter: lines, prettyErrors: false });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined) return { ok: true, value: null };
  const error = document.errors[0];
  if (error !== undefined) return { ok: false, error: goWords(error, text, lines) };
  try {
    return { ok: true, value: convert(document.contents, document, lines) };
  } catch (mistake) {
    if (mistake instanceof YamlMistake) return { ok: false, error: mistake.message };
    throw mistake;
  }
}

function convert(node: Node | null, document: Document, lines: LineCounter): ConfigValue {
  if (node === null) return null;
  if (isAlias(node)) {
    const target = node.resolve(document);
    if (target === undefined) throw new YamlMistake(`yaml: unknown anchor '${node.source}' referenced`);
    return convert(target, document, lines);
  }
  if (isScalar(node)) return scalar(node.value, node.type === "PLAIN" ? node.source : undefined);
  if (isSeq(node)) return node.items.map((item) => convert(item as Node | null, document, lines));
  if (isMap(node)) return convertMap(node.items as Pairs, document, lines);
  return null;
}

type Pairs = readonly { readonly key: Node | null; readonly value: Node | null }[];

function convertMap(pairs: Pairs, document: Document, lines: LineCounter): ConfigMap {
  const map: ConfigMap = new Map();
  const seen = new Map<string, number>();
  let base: ConfigMap = new Map();
  for (const { key, value } of pairs) {
    const name = keyText(convert(key, document, lines));
    const line = lines.linePos(key?.range?.[0] ?? 0).line;
    const before = seen.get(name);
    if (before !== undefined) {
      throw new YamlMistake(`yaml: unmarshal errors:\n  line ${line}: mapping key ${JSON.stringify(name)} already defined at line ${before}`);
    }
    seen.set(name, line);
    const converted = convert(value, document, lines);
    if (name === "<<" && converted instanceof Map) base = converted;
    else map.set(name, converted);
  }
  return new Map([...base, ...map]);
}

function keyText(key: ConfigValue): string {
  const bare = plain(key);
  return bare === null ? "" : typeof bare === "object" ? "" : String(bare);
}

function scalar(value: unknown, source: string | undefined): ConfigValue {
  // The Collector's library still reads a leading zero as octal and ignores underscores in numbers.
  if (source !== undefined && /^[-+]?0[0-7_]+$/.test(source)) return octal(source);
  if (source !== undefined && /^[-+]?[0-9][0-9_]*$/.test(source) && source.includes("_")) return BigInt(source.replaceAll("_", ""));
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "bigint" || typeof value === "number" || typeof value === "string") return value;
  return source ?? "";
}

function octal(source: string): bigint {
  const digits = BigInt(`0o${source.replace(/^[-+]?0+_?/, "").replaceAll("_", "") || "0"}`);
  return source.startsWith("-") ? -digits : digits;
}

/** Its line numbers count from zero and a zero is not written, so that they are one too small. */
function goWords(error: YAMLError, text: string, lines: LineCounter): string {
  const { line } = lines.linePos(error.pos[0]);
  const at = (number: number): string => (number > 0 ? `line ${number}: ` : "");
  const rest = text.slice(error.pos[0]);
  if (error.code === "TAB_AS_INDENT" || rest.startsWith("\t")) return `yaml: ${at(line)}found character that cannot start any token`;
  if (error.code === "BLOCK_AS_IMPLICIT_KEY") return `yaml: ${at(line - 1)}mapping values are not allowed in this context`;
  if (/flow (sequence|map|collection)/i.test(error.message)) return flowWords(text, at);
  if (/closing .*quote/i.test(error.message)) return `yaml: ${at(text.split("\n").length)}found unexpected end of stream`;
  if (error.code === "BAD_ALIAS" || /unresolved alias/i.test(error.message)) return `yaml: unknown anchor '${/\*(\S+)/.exec(rest)?.[1] ?? ""}' referenced`;
  if (error.code === "BAD_INDENT" || /same column|implicit key|unexpected/i.test(error.message)) {
    return `yaml: ${at(line - 1)}did not find expected key`;
  }
  return `yaml: ${at(line)}${error.message}`;
}

function flowWords(text: string, at: (line: number) => string): string {
  const open: number[] = [];
  for (const [index, character] of Array.from(text).entries()) {
    if (character === "[" || character === "{") open.push(index);
    else if (character === "]" || character === "}") open.pop();
  }
  const start = open[0] ?? 0;
  const line = text.slice(0, start).split("\n").length;
  if (text.slice((open.at(-1) ?? 0) + 1).trim() === "") return `yaml: ${at(line)}did not find expected node content`;
  return `yaml: ${at(line)}did not find expected ',' or '${text[start] === "[" ? "]" : "}"}'`;
}
