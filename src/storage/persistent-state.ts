/**
 * `persistent_state.yaml`, in the Go supervisor's fields and formats with nothing added, so that a host can move there
 * and back. Read tolerantly (a part that makes no sense is lost alone), written in one fixed form that Go accepts.
 */
import { isMap, isScalar, Lexer, parseDocument, type YAMLMap } from "yaml";
import type { Hex, RemoteStatus } from "../core/values.js";
import { withLogTail } from "../lib/log-tail.js";
import { parseUuid } from "./uuid.js";

/** The error message may hold a megabyte of the Collector's output, if the user asked for it, and escaping may make six bytes of one. */
export const PERSISTENT_STATE_BYTES_MAX = 8 * 1024 * 1024;
/** A sound file has some twenty. A long reason is one of them, but megabytes of small ones take the parser minutes. */
const LEXEMES_MAX = 10_000;

export interface PersistentState {
  /** Null: there is none, or it is none. */
  readonly instanceUid: string | null;
  readonly status: RemoteStatus | null;
  /** What could not be understood, in words; empty for a sound file. */
  readonly problems: readonly string[];
}

/** Numbers of RemoteConfigStatuses in the protocol. */
const STATUS_NUMBERS = { applied: 1, applying: 2, failed: 3 } as const;

/** Throws when the whole is not a YAML map. */
export function parsePersistentState(bytes: Uint8Array): PersistentState {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) if (lexeme !== "" && ++lexemes > LEXEMES_MAX) throw new Error("it is no state, it has too many parts");
  // Every scalar stays text: a hash like 12e4567 must not become a number. A repeated key is not searched for, since
  // that takes seconds in a hostile file.
  const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  if (!isMap(document.contents)) throw new Error("it is not a YAML map");
  const problems: string[] = [];
  return {
    instanceUid: readInstanceUid(document.contents, problems),
    status: readStatus(document.contents, problems),
    problems,
  };
}

export function renderPersistentState(instanceUid: string, status: RemoteStatus | null): string {
  const head = `instance_id: ${instanceUid}\n`;
  if (status === null) return `${head}last_remote_config_status: null\n`;
  return (
    `${head}last_remote_config_status:\n` +
    `    status: ${STATUS_NUMBERS[status.is]}\n` +
    `    last_remote_config_hash: "${status.hash}"\n` +
    `    error_message: ${quoted(withLogTail(status.error, status.tail ?? ""))}\n`
  );
}

/** Half of a surrogate pair, as a cut in the middle of a character leaves it, is no text for a file. */
export function wholeText(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function readInstanceUid(map: YAMLMap, problems: string[]): string | null {
  const text = textOf(map, "instance_id");
  const uuid = text === null ? null : parseUuid(text);
  if (uuid === null) problems.push("instance_id is not a UUID");
  return uuid;
}

function readStatus(map: YAMLMap, problems: string[]): RemoteStatus | null {
  const node = map.get("last_remote_config_status", true) as unknown;
  if (node === undefined || isNull(node)) return null;
  const status = isMap(node) ? statusOf(node) : undefined;
  if (status === undefined) problems.push("last_remote_config_status is not a status with a known number and a hash");
  return status ?? null;
}

/** Undefined: it makes no sense. Null: UNSET. */
function statusOf(map: YAMLMap): RemoteStatus | null | undefined {
  const number = textOf(map, "status");
  const hash = hexOf(textOf(map, "last_remote_config_hash") ?? "");
  const error = textOf(map, "error_message") ?? "";
  if (number === "0") return null;
  if (hash === null) return undefined;
  if (number === "1") return { is: "applied", hash, error: "" };
  if (number === "2") return { is: "applying", hash, error: "" };
  if (number === "3") return { is: "failed", hash, error };
  return undefined;
}

function textOf(map: YAMLMap, key: string): string | null {
  const node = map.get(key, true) as unknown;
  return isScalar(node) && typeof node.value === "string" ? node.value : null;
}

function isNull(node: unknown): boolean {
  return isScalar(node) && typeof node.value === "string" && ["", "~", "null", "Null", "NULL"].includes(node.value);
}

function hexOf(text: string): Hex | null {
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? text.toLowerCase() : null;
}

/** A YAML double-quoted scalar that Go's parser takes: it refuses raw control characters. */
function quoted(text: string): string {
  return JSON.stringify(wholeText(text)).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
