/** Replaces `${...}` everywhere in a configuration; `$$` is a dollar sign. */
import { ConfigError, retrieveReference, type Environment } from "./retrieve.js";
import { plain, type Expanded, type ConfigMap, type ConfigValue } from "./value.js";

const EXPANSIONS_MAX = 100;

/** @param unset receives the names of variables that are not set. */
export function expandMap(map: ConfigMap, environment: Environment, unset: Set<string>): ConfigMap {
  return new Map([...map].map(([key, value]) => [key, expandValue(value, { environment, unset, left: EXPANSIONS_MAX })]));
}

interface Context {
  readonly environment: Environment;
  readonly unset: Set<string>;
  left: number;
}

function expandValue(value: ConfigValue, context: Context): ConfigValue {
  if (typeof value === "string") return unescape(expandText(value, { ...context }));
  if (Array.isArray(value)) return value.map((item) => expandValue(item, context));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, expandValue(item, context)]));
  return value;
}

/** The innermost reference first, so that `${env:${env:NAME}}` works; a whole-text reference keeps its type. */
function expandText(text: string, context: Context): ConfigValue {
  const found = /(?<!\$)((?:\$\$)*)\$\{([^${}]*)\}/.exec(text);
  if (found === null) return text;
  if (context.left-- === 0) throw new ConfigError("too many recursive expansions");
  const got = retrieveReference(found[2] ?? "", context.environment);
  if (got.unset !== null) context.unset.add(got.unset);
  const start = found.index + (found[1]?.length ?? 0);
  const end = found.index + found[0].length;
  if (start === 0 && end === text.length) return wholeReference(got.value, context);
  return expandText(text.slice(0, start) + got.value.text + text.slice(end), context);
}

function wholeReference(value: Expanded, context: Context): ConfigValue {
  const bare = plain(value);
  if (typeof bare === "string" && bare.includes("$")) return expandText(bare, context);
  return bare !== null && typeof bare === "object" ? expandValue(bare, context) : value;
}

function unescape(value: ConfigValue): ConfigValue {
  return typeof value === "string" ? value.replaceAll("$$", "$") : value;
}
