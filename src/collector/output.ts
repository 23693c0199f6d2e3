/**
 * Where the Collector's output goes: by descriptor straight into a file, so that a stopped or dead supervisor never
 * blocks or kills the Collector. The supervisor only reads the file, and keeps its size within a limit. What goes wrong
 * here, a full disk above all, is a warning and never stops what runs.
 */
import { constants, closeSync, fchmodSync, fstatSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock, Millis } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { FollowedFile } from "./followed-file.js";
import { logCollectorLine } from "./collector-line.js";
import { readTail } from "./read-tail.js";
import { cutToSize } from "./rotate.js";

/** The size at which `agent.log` is copied to `agent.log.1` and emptied. */
export const AGENT_LOG_BYTES_MAX = 20 * 1024 * 1024;
/** How often its size is looked at, and how often while it grows fast. */
const CHECK_MS = 1_000;
const CHECK_FAST_MS = 250;

export interface Output {
  /** A descriptor for one process, to be closed by the caller once the process has it. Never throws. */
  open(): number;
  /** A new attempt begins: `tail` does not look further back. */
  mark(): void;
  /** The last whole lines since the mark, cleaned; "" when there are none. Never rejects. */
  tail(bytesMax: number, linesMax: number): Promise<string>;
  /** Ends the supervision of the file; what was printed until now is still passed on. */
  close(): Promise<void>;
}

export interface OutputOptions {
  /** `agent.log` in the storage directory, absolute. */
  readonly path: string;
  /** `agent.passthrough_logs`: no agent.log, but log lines of the supervisor under the logger `collector`. */
  readonly passthrough: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bytesMax?: number;
}

export function openOutput({ path, passthrough, clock, log, bytesMax = AGENT_LOG_BYTES_MAX }: OutputOptions): Output {
  if (!passthrough) return new FileOutput(path, clock, log, bytesMax);
  const collector = log.named("collector");
  // The output still goes by descriptor into a file, which the supervisor reads behind the Collector's back.
  const hidden = join(dirname(path), "agent-passthrough.log");
  const followed = new FollowedFile({ path: hidden, clock, log, bytesMax, onLine: (line) => logCollectorLine(collector, line) });
  return new PassthroughOutput(hidden, log, followed);
}

class FileOutput implements Output {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #bytesMax: number;
  #mark = 0;
  #cancel: () => void = () => undefined;
  #closed = false;
  #working: Promise<void> = Promise.resolve();

  constructor(path: string, clock: Clock, log: Logger, bytesMax: number) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#bytesMax = bytesMax;
    this.#checkIn(CHECK_MS);
  }

  open(): number {
    return openForChild(this.#path, this.#log);
  }

  mark(): void {
    this.#mark = sizeOf(this.#path);
  }

  async tail(bytesMax: number, linesMax: number): Promise<string> {
    return readTail({ path: this.#path, from: this.#mark, bytesMax, linesMax });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#working;
  }

  #checkIn(delayMs: Millis): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#working = this.#check().then((nextMs) => this.#checkIn(nextMs));
    });
  }

  async #check(): Promise<Millis> {
    const size = sizeOf(this.#path);
    if (size < this.#bytesMax) return size > this.#bytesMax / 2 ? CHECK_FAST_MS : CHECK_MS;
    if (await cutToSize(this.#path, this.#bytesMax, this.#log)) this.#mark = 0;
    return CHECK_FAST_MS;
  }
}

class PassthroughOutput implements Output {
  readonly #path: string;
  readonly #log: Logger;
  readonly #followed: FollowedFile;
  #mark = 0;

  constructor(path: string, log: Logger, followed: FollowedFile) {
    this.#path = path;
    this.#log = log;
    this.#followed = followed;
  }

  open(): number {
    return openForChild(this.#path, this.#log);
  }

  mark(): void {
    this.#mark = sizeOf(this.#path);
  }

  async tail(bytesMax: number, linesMax: number): Promise<string> {
    // Before reading is over nothing is cut off, so the tail is whole.
    const tail = await readTail({ path: this.#path, from: this.#mark, bytesMax, linesMax });
    await this.#followed.catchUp();
    return tail;
  }

  async close(): Promise<void> {
    await this.#followed.close();
  }
}

/**
 * Appending, so that a file that was cut under the Collector's hands goes on at its new end. Anything but a regular file
 * is refused: a pipe without a reader would block the Collector.
 */
function openForChild(path: string, log: Logger): number {
  try {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o600);
    const { mode, isRegular } = factsOf(descriptor);
    if (isRegular) {
      if ((mode & 0o077) !== 0) tighten(descriptor, path, log);
      return descriptor;
    }
    closeSync(descriptor);
    log.warn("Output of the Collector is dropped", { path, error: "it is not a regular file; remove it, or set agent.passthrough_logs" });
  } catch (error) {
    log.warn("Output of the Collector is dropped", { path, error: messageOf(error) });
  }
  return openSync(process.platform === "win32" ? "NUL" : "/dev/null", "w");
}

function factsOf(descriptor: number): { mode: number; isRegular: boolean } {
  const facts = fstatSync(descriptor);
  return { mode: facts.mode, isRegular: facts.isFile() };
}

/** Another supervisor may have left it readable for everybody. */
function tighten(descriptor: number, path: string, log: Logger): void {
  try {
    fchmodSync(descriptor, 0o600);
  } catch (error) {
    log.warn("Output of the Collector is readable for others", { path, error: messageOf(error) });
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
