/** Reads one configuration source by its URI: `file:`, `env:`, `yaml:`, or a bare path. */
import { readFileSync } from "node:fs";
import { readYaml } from "./yaml-read.js";
import { Expanded, type ConfigValue } from "./value.js";

/** What a source gave: a value with its text, and the words of the YAML library where the text is no YAML. */
export interface Retrieved {
  readonly value: Expanded;
  readonly notYaml: string | null;
  /** The variable that was not set, for the warning at the start. */
  readonly unset: string | null;
}

/** An error with the Collector's own words, to be shown behind its prefix. */
export class ConfigError extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>;

const SCHEMES = ["env", "file", "yaml"];

/** @param uri as given to `--config`. */
export function retrieveSource(uri: string, environment: Environment): Retrieved {
  const scheme = schemeOf(uri);
  if (scheme !== null && !SCHEMES.includes(scheme)) throw new ConfigError(`unsupported scheme on URI ${JSON.stringify(uri)}`);
  return read(scheme === null ? `file:${uri}` : uri, environment);
}

/** @param uri what stands between `${` and `}`. */
export function retrieveReference(uri: string, environment: Environment): Retrieved {
  const scheme = schemeOf(uri);
  if (scheme !== null && !SCHEMES.includes(scheme)) {
    throw new ConfigError(`scheme ${JSON.stringify(scheme)} is not supported for uri ${JSON.stringify(uri)}`);
  }
  return read(scheme === null ? `env:${uri}` : uri, environment);
}

function schemeOf(uri: string): string | null {
  return /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(uri)?.[1] ?? null;
}

function read(uri: string, environment: Environment): Retrieved {
  const rest = uri.slice(uri.indexOf(":") + 1);
  if (uri.startsWith("yaml:")) return fromText(rest);
  if (uri.startsWith("env:")) return readVariable(rest, environment);
  try {
    return fromText(readFileSync(rest, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw new ConfigError(`unable to read the file ${uri}: ${SYSCALL.get(code) ?? "open"} ${rest}: ${REASONS.get(code) ?? code}`);
  }
}

const SYSCALL = new Map([["EISDIR", "read"]]);
const REASONS = new Map([
  ["ENOENT", "no such file or directory"],
  ["EACCES", "permission denied"],
  ["EISDIR", "is a directory"],
  ["ENOTDIR", "not a directory"],
]);

function readVariable(rest: string, environment: Environment): Retrieved {
  const [, name = "", fallback] = /^(.*?)(?::-(.*))?$/s.exec(rest) ?? [];
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    throw new ConfigError(`environment variable ${JSON.stringify(name)} has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$`);
  }
  const given = environment[name];
  return { ...fromText(given ?? fallback ?? ""), unset: given === undefined && fallback === undefined ? name : null };
}

function fromText(text: string): Retrieved {
  const parsed = readYaml(text);
  const value: ConfigValue = parsed.ok ? parsed.value : text;
  return { value: new Expanded(value, text), notYaml: parsed.ok ? null : parsed.error, unset: null };
}
