/**
 * `history.jsonl`: one line for each decision, in the words of the log, for whoever stands at the host later. Bounded: at
 * its limit the file is kept once more as `history.jsonl.1` and begun anew. It is told to nobody and decides nothing, so a
 * disk that cannot take it is no reason to stop.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { isoTime, type Clock } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { HISTORY } from "./names.js";

export const HISTORY_BYTES_MAX = 1024 * 1024;
const FILE_MODE = 0o600;

export interface HistoryOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bytesMax?: number;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #path: string;
  #bytes: number | null = null;
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
      this.#append(`${JSON.stringify({ time, what, ...fields })}\n`);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.warn("History cannot be written", { error: messageOf(error) });
      this.#isFailing = true;
    }
  }

  #append(line: string): void {
    const { bytesMax = HISTORY_BYTES_MAX } = this.#options;
    this.#bytes ??= statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const size = Buffer.byteLength(line);
    if (this.#bytes > 0 && this.#bytes + size > bytesMax) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, line, { mode: FILE_MODE });
    this.#bytes += size;
  }
}
