/** One scalar of the YAML library as a node of ours: whether it is a text for sure, or what it is decided by the decoder. */
import type { Scalar } from "yaml";
import type { ConfigNode } from "./yaml-node.js";
import { offsetOf, YamlProblem } from "./yaml-problem.js";

/** @param source the whole file. */
export function convertScalar(scalar: Scalar, source: string): ConfigNode {
  const value = scalar.source ?? "";
  if (LONE_SURROGATE.test(value)) throw new YamlProblem("half of a surrogate pair, which is no character", offsetOf(scalar));
  const tag = scalar.tag ?? "";
  const short = tag.startsWith(CORE) ? tag.slice(CORE.length) : null;
  if (short !== null && KEPT_TAGS.has(short)) return { is: "tagged", tag: `!!${short}`, value };
  // Go reads a scalar with any other tag as a text; "!" alone says nothing.
  if (tag !== "" && tag !== "!") return { is: "text", value };
  if (scalar.type !== "PLAIN") return { is: "text", value: isBlock(scalar) ? blockText(scalar, value, source) : value };
  return UNPRINTABLE.test(value) ? { is: "text", value } : { is: "plain", source: value };
}

const CORE = "tag:yaml.org,2002:";
const KEPT_TAGS: ReadonlySet<string> = new Set(["int", "float", "bool", "null", "binary", "timestamp"]);
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Beyond these a plain scalar cannot be printed as it was, and no number holds them. */
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\ufeff\ufffe\uffff]/;

function isBlock(scalar: Scalar): boolean {
  return scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED";
}

/** A block at the very end of a file without a last line break ends without one in Go, and with one in the library. */
function blockText(scalar: Scalar, value: string, source: string): string {
  const atEnd = scalar.range !== undefined && scalar.range !== null && scalar.range[1] >= source.length;
  const cut = atEnd && value.endsWith("\n") && /[^\s]$/.test(source);
  return cut ? value.slice(0, -1) : value;
}
