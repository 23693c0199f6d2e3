/**
 * Where log lines go: descriptors, written at once and in order, so that the last line before an end is not lost. A line
 * that cannot be written (disk full, reader gone) is dropped and counted: logging must never stop what runs.
 */
import { appendFileSync, constants, fstatSync, openSync, closeSync, writeSync } from "node:fs";
import { SupervisorError } from "./error.js";

/** A reader that is slow for a moment gets this much time in all, in steps. */
const RETRIES_MAX = 100;
const RETRY_STEP_MS = 1;

export interface LogDestination {
  write(line: string): void;
}

/** @param paths `stdout`, `stderr` or absolute paths. Throws a `SupervisorError` when a file cannot be opened. */
export function openDestination(paths: readonly string[], errorPaths: readonly string[]): LogDestination {
  const outputs: Output[] = [];
  try {
    for (const path of new Set(paths)) outputs.push(new Output(path, openOutput(path), errorPaths));
  } catch (error) {
    for (const output of outputs) output.close();
    throw error;
  }
  return {
    write(line) {
      for (const output of outputs) output.write(line);
    },
  };
}

const STANDARD: ReadonlyMap<string, number> = new Map([
  ["stdout", 1],
  ["/dev/stdout", 1],
  ["stderr", 2],
  ["/dev/stderr", 2],
]);

function openOutput(path: string): number {
  const standard = STANDARD.get(path);
  if (standard !== undefined) return openStandard(standard);
  try {
    // Without O_NONBLOCK a named pipe that nobody reads would hang the start.
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const remedy = REMEDIES.get(code) ?? `the system says ${code}`;
    throw new SupervisorError("settings", `cannot open the log file ${path}: ${remedy} (telemetry.logs.output_paths)`, { cause: error });
  }
}

/**
 * A pipe that nobody empties would stop the supervisor for ever, signals included. Opened once more it can be written
 * without waiting, and whoever shares the original keeps it as it was.
 */
function openStandard(descriptor: number): number {
  try {
    if (process.platform !== "linux" || !fstatSync(descriptor).isFIFO()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    // Closed, or somebody else's pipe: then the descriptor itself has to do.
    return descriptor;
  }
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "its directory does not exist; create it or choose another path"],
  ["ENOTDIR", "a part of the path is not a directory; choose another path"],
  ["EISDIR", "it is a directory; name a file in it"],
  ["EACCES", "permission denied; the user of the supervisor must be able to write it"],
  ["EROFS", "the file system is read-only; choose another path"],
  ["ENOSPC", "no space left; make room or choose another path"],
  ["ENXIO", "it is a pipe that nobody reads; start its reader first or choose another path"],
]);

class Output {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #errorPaths: readonly string[];
  #lost = 0;
  /** Part of a line was written: the next one begins on a new line. */
  #torn = false;

  constructor(path: string, descriptor: number, errorPaths: readonly string[]) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#errorPaths = errorPaths;
  }

  write(line: string): void {
    // Patience is for the first line only: each further one would stop the supervisor again.
    const failure = this.#writeWhole(Buffer.from(this.#torn ? `\n${line}` : line, "utf8"), this.#lost === 0 ? RETRIES_MAX : 0);
    if (failure !== null) {
      this.#lost += 1;
      if (this.#lost === 1) this.#complain(`cannot write to it (${failure}), log lines are lost`);
      return;
    }
    if (this.#lost === 0) return;
    this.#complain(`works again, ${this.#lost} lines were lost`);
    this.#lost = 0;
  }

  close(): void {
    if (this.#descriptor > 2) closeSync(this.#descriptor);
  }

  /** The system's error code, null when all was written. */
  #writeWhole(bytes: Buffer, retriesMax: number): string | null {
    let offset = 0;
    let retries = 0;
    while (offset < bytes.length) {
      try {
        offset += writeSync(this.#descriptor, bytes, offset);
        this.#torn = offset < bytes.length;
      } catch (error) {
        const { code = "unknown" } = error as NodeJS.ErrnoException;
        if (code !== "EAGAIN" || retries === retriesMax) return code;
        retries += 1;
        Atomics.wait(PAUSE, 0, 0, RETRY_STEP_MS);
      }
    }
    return null;
  }

  /** Once when it begins and once when it ends, as far as there is anything left to write to. */
  #complain(text: string): void {
    const line = `opampsupervisor: log output ${this.#path}: ${text}\n`;
    for (const path of this.#errorPaths) {
      const standard = STANDARD.get(path);
      try {
        if (standard === undefined) appendFileSync(path, line, { mode: 0o600 });
        else if (standard !== STANDARD.get(this.#path)) writeSync(standard, line);
      } catch {
        // There is nobody left to tell.
      }
    }
  }
}

/** Never notified: waiting on it is the only synchronous pause there is. */
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
