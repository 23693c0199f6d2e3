/**
 * `history.jsonl`: one line for each decision, in the words of the log, for whoever stands at the host later. Bounded: at
 * its limit the file is kept once more as `history.jsonl.1` and begun anew. It is told to nobody and decides nothing, so a
 * disk that cannot take it is no reason to stop. A line that was torn, by a power loss or a full disk, spoils no other.
 */
import { appendFileSync, closeSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { isoTime, type Clock } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { HISTORY } from "./names.js";

export const HISTORY_BYTES_MAX = 1024 * 1024;
const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

/** Where the next line goes. */
interface End {
  readonly bytes: number;
  /** The last line lacks its end: a record behind it would be lost with it. */
  readonly isTorn: boolean;
}

/** The Collector's last words may be as long as somebody asked for; here one record must not push out all others. */
const TEXT_CHARS_MAX = 16 * 1024;

function bounded(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.length > TEXT_CHARS_MAX ? `${value.slice(0, TEXT_CHARS_MAX)} ...` : value;
}

export interface HistoryOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bytesMax?: number;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #path: string;
  /** Null before the first line of this life, and after a write that may have left half of one. */
  #end: End | null = null;
  #isFailing = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#path = join(options.directory, HISTORY);
  }

  /** @param what the message of the log line; its fields follow. Never throws; a line that cannot be written is lost. */
  add(what: string, fields: Readonly<Record<string, unknown>>): void {
    const { clock, log } = this.#options;
    const time = isoTime(clock);
    try {
      this.#append(`${JSON.stringify({ time, what, ...fields }, bounded)}\n`);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.warn("History cannot be written", { error: messageOf(error) });
      this.#isFailing = true;
    }
  }

  #append(record: string): void {
    const { bytesMax = HISTORY_BYTES_MAX } = this.#options;
    const found = this.#end ?? endOf(this.#path);
    this.#end = null;
    const line = found.isTorn ? `\n${record}` : record;
    const size = Buffer.byteLength(line);
    const isFull = found.bytes > 0 && found.bytes + size > bytesMax;
    if (isFull) renameSync(this.#path, `${this.#path}.1`);
    appendFileSync(this.#path, isFull ? record : line, { mode: FILE_MODE });
    this.#end = { bytes: isFull ? Buffer.byteLength(record) : found.bytes + size, isTorn: false };
  }
}

/** Throws for anything but a file: a pipe in its place would hold the supervisor up for ever. */
function endOf(path: string): End {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) throw new Error(`${path} is not a regular file`);
  const bytes = stats?.size ?? 0;
  if (bytes === 0) return { bytes, isTorn: false };
  const last = Buffer.alloc(1);
  const file = openSync(path, "r");
  try {
    readSync(file, last, 0, 1, bytes - 1);
  } finally {
    closeSync(file);
  }
  return { bytes, isTorn: last[0] !== NEWLINE };
}
