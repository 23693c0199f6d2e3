/**
 * Where the settings come from: a path, `file:PATH` or `env:NAME`. A pipe works too, so that a file with secrets can be
 * decrypted on the way: `--config <(sops -d supervisor.yaml)`.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { SupervisorError } from "../lib/error.js";

/** A settings file is a page of text; more than this is another file. */
const SETTINGS_BYTES_MAX = 1_000_000;

export interface SettingsText {
  /** How the user named it. */
  readonly name: string;
  readonly text: string;
}

export function readSource(source: string, env: NodeJS.ProcessEnv, cwd: string): SettingsText {
  if (source === "") {
    throw new SupervisorError("settings", "path to config file cannot be empty; give it with --config=supervisor.yaml");
  }
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(source);
  const scheme = match?.[1];
  const rest = match?.[2] ?? "";
  switch (scheme) {
    case undefined:
      return { name: source, text: readText(source, cwd) };
    case "file":
      if (rest === "") throw new SupervisorError("settings", "path to config file cannot be empty; write --config=file:supervisor.yaml");
      return { name: rest, text: readText(rest, cwd) };
    case "env":
      return { name: source, text: variable(rest, env) };
    default:
      throw new SupervisorError(
        "settings",
        `unsupported scheme on URI "${source}"; expected a path, file:PATH or env:NAME (write ./${source} for a file of that name)`,
      );
  }
}

function variable(rest: string, env: NodeJS.ProcessEnv): string {
  const at = rest.indexOf(":-");
  const name = at < 0 ? rest : rest.slice(0, at);
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    throw new SupervisorError("settings", `environment variable "${name}" has invalid name; write --config=env:NAME`);
  }
  return env[name] ?? (at < 0 ? "" : rest.slice(at + 2));
}

/** The text of a file, bounded, whatever kind of file it is; throws a `SupervisorError`. */
export function readText(path: string, cwd: string): string {
  const absolute = resolve(cwd, path);
  let bytes: Buffer | null;
  try {
    bytes = readBounded(absolute);
  } catch (error) {
    throw unreadable(path, absolute, error);
  }
  if (bytes === null) {
    throw new SupervisorError("settings", `unable to read the file ${path}: it is larger than ${SETTINGS_BYTES_MAX} bytes; is it the right file?`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SupervisorError("settings", `unable to read the file ${path}: it is not UTF-8 text; save it as UTF-8`, { cause: error });
  }
}

/** Null when there is more than the limit. */
function readBounded(path: string): Buffer | null {
  const descriptor = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(65_536);
      const length = readSync(descriptor, chunk, 0, chunk.length, null);
      if (length === 0) return Buffer.concat(chunks);
      total += length;
      if (total > SETTINGS_BYTES_MAX) return null;
      chunks.push(chunk.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}

function unreadable(path: string, absolute: string, error: unknown): SupervisorError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const looked = absolute === path ? "" : ` (looked for ${absolute})`;
  const text = REASONS.get(code) ?? `the system says ${code}`;
  return new SupervisorError("settings", `unable to read the file ${path}: ${text}${looked}`, { cause: error });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it does not exist; check the path"],
  ["ENOTDIR", "a part of the path is not a directory; check the path"],
  ["EACCES", "permission denied; the user of the supervisor must be able to read it"],
  ["EISDIR", "it is a directory; name the file in it"],
  ["ELOOP", "its symbolic links form a loop"],
]);
