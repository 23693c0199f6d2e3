/** Writes a value as the Collector writes its resolved configuration: sorted keys, four spaces, its rules for quotes. */
import { plain, type ConfigValue } from "./value.js";

export function writeYaml(value: ConfigValue): string {
  const bare = plain(value);
  if (bare instanceof Map && bare.size > 0) return `${block(bare, 0)}\n`;
  return `${inline(bare)}\n`;
}

function block(value: ConfigValue, depth: number): string {
  const pad = "    ".repeat(depth);
  const bare = plain(value);
  if (Array.isArray(bare)) return bare.map((item) => `${pad}- ${listItem(item, depth)}`).join("\n");
  if (!(bare instanceof Map)) return pad + inline(bare);
  return sorted(bare)
    .map(([key, item]) => `${pad}${text(key)}:${member(item, depth)}`)
    .join("\n");
}

function member(value: ConfigValue, depth: number): string {
  const bare = plain(value);
  if (isLong(bare)) return `\n${block(bare, depth + 1)}`;
  return ` ${inline(bare)}`;
}

/** The keys of a map in a list stand two spaces in, as the dash is wide; what is beneath them counts from the dash. */
function listItem(value: ConfigValue, depth: number): string {
  const bare = plain(value);
  if (!isLong(bare)) return inline(bare);
  const pad = "    ".repeat(depth);
  const lines = block(bare, 0).split("\n");
  return lines.map((line, index) => (index === 0 ? line : line.startsWith(" ") ? pad + line : `${pad}  ${line}`)).join("\n");
}

function isLong(value: ConfigValue): boolean {
  return (value instanceof Map && value.size > 0) || (Array.isArray(value) && value.length > 0);
}

function inline(value: ConfigValue): string {
  const bare = plain(value);
  if (bare === null) return "null";
  if (Array.isArray(bare)) return "[]";
  if (bare instanceof Map) return "{}";
  return typeof bare === "string" ? text(bare) : String(bare);
}

function sorted(map: Map<string, ConfigValue>): [string, ConfigValue][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

const OTHER_MEANING = /^(|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|<<|\.nan|\.inf|[-+]?[0-9][0-9_]*(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+|0x[0-9a-fA-F]+|0o?[0-7]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*)$/;
const NEEDS_QUOTES = /^[\s!&*|>'"%@`,[\]{}#]|^[-?:](\s|$)|^-$|: |:$| #|\s$/;

function text(value: string): string {
  if (value.includes("\n")) return JSON.stringify(value);
  if (OTHER_MEANING.test(value) || /[\u0000-\u001f\u007f]/.test(value)) return JSON.stringify(value);
  if (NEEDS_QUOTES.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return value;
}
