/** One `${...}` of a text: where it is, and what it stands for. */
import { SupervisorError } from "../lib/error.js";

export interface ReferenceSources {
  readonly env: NodeJS.ProcessEnv;
  /** The text of a file; throws a `SupervisorError`. */
  readonly readFile: (path: string) => string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The first innermost `${...}` that is not escaped: an odd number of `$` in front of `${` escapes it. */
export function findReference(text: string): Span | null {
  let from = 0;
  for (;;) {
    const close = text.indexOf("}", from);
    if (close < 0) return null;
    const open = text.slice(from, close).lastIndexOf("${");
    const start = from + open;
    if (open >= 0 && dollarsBefore(text, start) % 2 === 0) return { start, end: close + 1 };
    from = close + 1;
  }
}

function dollarsBefore(text: string, index: number): number {
  let count = 0;
  while (text[index - 1 - count] === "$") count += 1;
  return count;
}

/**
 * @param body what stands between the braces.
 * @param onUnset told the name of a variable that is not set and has no default; its value is then "".
 */
export function resolveReference(body: string, sources: ReferenceSources, onUnset: (name: string) => void): string {
  const uri = body.includes(":") ? body : `env:${body}`;
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(uri);
  const scheme = match?.[1];
  const opaque = match?.[2];
  if (scheme === undefined || opaque === undefined) throw refused(`invalid uri: "${headOf(uri)}:…"`, uri);
  if (opaque.includes("$")) throw refused(`the uri "${scheme}:…" contains unsupported characters ('$'); write the name without $`, "");
  switch (scheme) {
    case "env":
      return variable(opaque, sources.env, onUnset);
    case "file":
      // Editors end a file with a line break, and a header value with one in it cannot be sent.
      return sources.readFile(opaque).replace(/\r?\n$/, "");
    default:
      throw refused(`scheme "${scheme}" is not supported for uri "${scheme}:…"`, uri);
  }
}

function variable(opaque: string, env: NodeJS.ProcessEnv, onUnset: (name: string) => void): string {
  const at = opaque.indexOf(":-");
  const name = at < 0 ? opaque : opaque.slice(0, at);
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    throw refused(`environment variable "${name}" has invalid name: letters, digits and _ are allowed, not beginning with a digit`, "");
  }
  const value = env[name];
  if (value !== undefined) return value;
  if (at >= 0) return opaque.slice(at + 2);
  onUnset(name);
  return "";
}

/** The default of a reference may be a secret, so only what stands in front of it is shown. */
function headOf(uri: string): string {
  return uri.slice(0, uri.indexOf(":"));
}

function refused(what: string, uri: string): SupervisorError {
  const name = headOf(uri);
  const remedy = uri.slice(name.length).startsWith(":-")
    ? `; a default needs the form \${env:${name}:-…}`
    : uri === ""
      ? ""
      : "; expected ${NAME}, ${env:NAME}, ${env:NAME:-default} or ${file:PATH}, and $$ for a plain $";
  return new SupervisorError("settings", what + remedy);
}
