/**
 * Writes to the inherited descriptors at once, so that nothing is lost when the process ends. Where the reader of a pipe
 * has gone, the process dies of SIGPIPE as the real one does, because Node alone would live on.
 */
import { writeSync } from "node:fs";

const STDOUT = 1;
const STDERR = 2;
const FULL_PIPE_WAIT_MS = 2;

export function printOut(text: string): void {
  writeAll(STDOUT, text);
}

export function printError(text: string): void {
  writeAll(STDERR, text);
}

export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" && (descriptor === STDOUT || descriptor === STDERR)) dieOfBrokenPipe();
      if (code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}

function dieOfBrokenPipe(): never {
  // Adding and removing a listener puts the signal's default action back.
  const ignore = (): void => undefined;
  process.on("SIGPIPE", ignore);
  process.removeListener("SIGPIPE", ignore);
  process.kill(process.pid, "SIGPIPE");
  process.exit(1);
}
