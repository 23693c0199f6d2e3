/**
 * Reads a file while another process appends to it, and hands on whole lines. Looking at its size now and then costs
 * less than being told of each write, and works on every file system.
 */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Clock, Millis } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { LineSplitter } from "./line-splitter.js";

/** Soon again while there is news, less often while it is quiet. */
const POLL_BUSY_MS = 50;
const POLL_QUIET_MS = 500;
/** Work of one round; the loop of the supervisor gets its turn in between. */
const ROUND_BYTES_MAX = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** A source that floods on must not hold up the end of the supervisor. */
const CATCH_UP_ROUNDS_MAX = 128;

export interface FollowOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Emptied when it is read to its end and larger than this, and in any case at four times this size. */
  readonly bytesMax: number;
  readonly onLine: (line: Uint8Array) => void;
}

export class FollowedFile {
  readonly #options: FollowOptions;
  readonly #splitter: LineSplitter;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #file: FileHandle | null = null;
  #offset = 0;
  #cancel: () => void = () => undefined;
  #closed = false;
  #failed = false;
  /** One round at a time. */
  #working: Promise<number>;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter(options.onLine);
    this.#working = this.#begin();
    this.#roundIn(POLL_BUSY_MS);
  }

  /** Hands on all that is in the file now. */
  async catchUp(): Promise<void> {
    for (let left = CATCH_UP_ROUNDS_MAX; left > 0; left--) {
      if ((await this.#round()) === 0) return;
    }
  }

  /** A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel();
    await this.catchUp();
    this.#splitter.end();
    await this.#file?.close();
    this.#file = null;
  }

  /** What an earlier life left is not news. */
  async #begin(): Promise<number> {
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
      this.#file = await open(this.#options.path, flags, 0o600);
    } catch (error) {
      this.#warn(error);
    }
    return 0;
  }

  #roundIn(delayMs: Millis): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.after(delayMs, () => {
      void this.#round().then((bytes) => this.#roundIn(bytes > 0 ? POLL_BUSY_MS : POLL_QUIET_MS));
    });
  }

  /** Resolves with the number of bytes that were read. Never rejects. */
  #round(): Promise<number> {
    this.#working = this.#working.then(() => this.#read()).catch((error: unknown) => {
      this.#warn(error);
      return 0;
    });
    return this.#working;
  }

  async #read(): Promise<number> {
    const file = this.#file;
    if (file === null) return 0;
    let total = 0;
    while (total < ROUND_BYTES_MAX) {
      const { bytesRead } = await file.read(this.#buffer, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) break;
      this.#splitter.add(this.#buffer.subarray(0, bytesRead));
      this.#offset += bytesRead;
      total += bytesRead;
    }
    await this.#keepSize(file);
    return total;
  }

  async #keepSize(file: FileHandle): Promise<void> {
    const { bytesMax, log, path } = this.#options;
    const { size } = await file.stat();
    if (size < this.#offset) {
      // Somebody else emptied it.
      this.#offset = 0;
      return;
    }
    const unread = size - this.#offset;
    if (unread > 4 * bytesMax) log.warn("Output of the Collector comes faster than it can be passed on, a part is dropped", { path, bytes: unread });
    else if (unread > 0 || size < bytesMax) return;
    await file.truncate(0);
    this.#offset = 0;
  }

  #warn(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.log.warn("Output of the Collector cannot be passed on", { path: this.#options.path, error: messageOf(error) });
  }
}
