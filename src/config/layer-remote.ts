/**
 * The files of a remote configuration as layers. Every key is a file and takes part, sorted by name with the unnamed one
 * last. Names are the server's words: they are shown quoted and shortened, and never used as a path.
 */
import { Buffer } from "node:buffer";
import { SupervisorError } from "../lib/error.js";
import type { RemoteConfig, RemoteFile } from "../core/values.js";
import type { Layer } from "./compose-job.js";
import { decodeText } from "./layer-local.js";

/** @throws SupervisorError "config-refused" or "config-too-large", naming the file. */
export function remoteLayers(remote: RemoteConfig | null, bytesMax: number): Layer[] {
  const files = [...(remote?.files ?? [])].sort(byName);
  return files.map((file) => ({ is: "remote", name: shownName(file.name), text: textOf(file, bytesMax) }));
}

function byName(a: RemoteFile, b: RemoteFile): number {
  if (a.name === "" || b.name === "") return Number(a.name === "") - Number(b.name === "");
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

const NAME_CHARS_MAX = 100;

export function shownName(name: string): string {
  if (name === "") return "the unnamed remote configuration file";
  const short = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name;
  return `remote configuration file ${JSON.stringify(short)}`;
}

function textOf(file: RemoteFile, bytesMax: number): string {
  const name = shownName(file.name);
  const type = file.contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!CONTENT_TYPES.has(type)) {
    const shown = JSON.stringify(file.contentType.slice(0, NAME_CHARS_MAX));
    throw new SupervisorError("config-refused", `${name} has the content type ${shown}; a Collector configuration is text/yaml or application/json`);
  }
  if (file.body.byteLength > bytesMax) throw new SupervisorError("config-too-large", `${name} is larger than ${bytesMax} bytes`);
  try {
    return decodeText(file.body);
  } catch (cause) {
    throw new SupervisorError("config-refused", `${name} is not UTF-8`, { cause });
  }
}

const CONTENT_TYPES: ReadonlySet<string> = new Set([
  "",
  "text/yaml",
  "text/x-yaml",
  "application/yaml",
  "application/x-yaml",
  "application/json",
]);
