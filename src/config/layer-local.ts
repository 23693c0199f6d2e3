/** Reads one entry of `agent.config_files`: a path, a `file:` URI or an `env:` URI. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { messageOf } from "../lib/error.js";

export type Local = { readonly is: "read"; readonly text: string } | { readonly is: "unreadable"; readonly reason: string };

export async function readLocal(entry: string, env: Readonly<Record<string, string>>, bytesMax: number): Promise<Local> {
  const uri = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(entry);
  const scheme = uri?.[1];
  const rest = uri?.[2] ?? "";
  if (scheme === undefined) return await readText(entry, bytesMax);
  if (scheme === "file") return await readText(rest, bytesMax);
  if (scheme !== "env") return unreadable(`the scheme "${scheme}" is not supported; use a path, file: or env:`);
  const value = Object.hasOwn(env, rest) ? env[rest] : undefined;
  return value === undefined ? unreadable(`the environment variable ${rest} is not set`) : { is: "read", text: value };
}

async function readText(path: string, bytesMax: number): Promise<Local> {
  try {
    // A named pipe is opened without waiting for its other end, and refused below.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat().then((stat) => (stat.isFile() ? stat : { size: -1 }));
      if (size < 0) return unreadable("it is not a regular file");
      if (size > bytesMax) return unreadable(`it is larger than ${bytesMax} bytes`);
      return { is: "read", text: decodeText(await file.readFile()) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return unreadable(REASONS.get(codeOf(error)) ?? messageOf(error));
  }
}

/** @throws TypeError for bytes that are not UTF-8. A byte order mark is dropped. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EACCES", "the supervisor may not read it; check owner and mode"],
  ["EISDIR", "it is a directory"],
  ["ERR_ENCODING_INVALID_ENCODED_DATA", "it is not UTF-8"],
]);

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function unreadable(reason: string): Local {
  return { is: "unreadable", reason };
}
