/**
 * One short run of the Collector's binary to ask it something. Bounded in time and in output; a process that goes on too
 * long, or that nobody waits for any more, is killed with all that it started.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { systemClock, type Clock, type Millis } from "../lib/clock.js";
import { SupervisorError, type ErrorCode } from "../lib/error.js";
import { BoundedText } from "./bounded-text.js";
import { spawnError } from "./executable.js";
import { signalGroup } from "./process-group.js";

/** After its end, what is still in the pipes may come; a grandchild that holds them open is not waited for. */
const DRAIN_MS_MAX = 200;
/** A program that prints more than this is no Collector that answers a question. */
const OUTPUT_BYTES_MAX = 128 * 1024 * 1024;
/** What is kept of each stream: its begin for stdout, where answers are, its end for stderr, where reasons are. */
const KEPT_BYTES_MAX = 1024 * 1024;

export interface Question {
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: Millis;
  readonly signal: AbortSignal;
  /** The code of the error when it cannot be run. */
  readonly errorCode: ErrorCode;
  readonly clock?: Clock;
}

export interface Answer {
  readonly is: "exited" | "timed-out" | "flooded";
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with `errorCode` when it cannot be run, with code "aborted" when the signal fires. */
export async function ask(question: Question): Promise<Answer> {
  const { args, cwd, env, errorCode, executable, signal } = question;
  if (signal.aborted) throw aborted(executable);
  let child: ChildProcess;
  try {
    child = spawn(executable, args, {
      detached: true,
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    throw spawnError(executable, error, errorCode);
  }
  if (child.pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve));
    throw spawnError(executable, error, errorCode);
  }
  return converse(child, child.pid, question);
}

function converse(child: ChildProcess, pid: number, question: Question): Promise<Answer> {
  const { clock = systemClock, executable, signal, timeoutMs } = question;
  const stdout = new BoundedText("begin", KEPT_BYTES_MAX);
  const stderr = new BoundedText("end", KEPT_BYTES_MAX);
  let is: Answer["is"] = "exited";
  return new Promise((resolve, reject) => {
    const kill = (): void => {
      try {
        signalGroup(pid, "SIGKILL");
      } catch {
        // Not ours to signal any more; its end comes without us.
      }
    };
    const cutShort = (why: Answer["is"]): void => {
      is = why;
      kill();
    };
    const cancelTimeout = clock.after(timeoutMs, () => cutShort("timed-out"));
    signal.addEventListener("abort", kill, { once: true });
    for (const [stream, kept] of [[child.stdout, stdout], [child.stderr, stderr]] as const) {
      stream?.on("data", (chunk: Buffer) => {
        kept.add(chunk);
        if (is === "exited" && stdout.seen + stderr.seen > OUTPUT_BYTES_MAX) cutShort("flooded");
      });
      stream?.on("error", () => undefined);
    }
    child.on("error", () => undefined);
    child.once("exit", (code, exitSignal) => {
      cancelTimeout();
      signal.removeEventListener("abort", kill);
      kill();
      drained(child, clock, () => {
        if (signal.aborted) reject(aborted(executable));
        else resolve({ is, code, signal: exitSignal, stdout: stdout.text(), stderr: stderr.text() });
      });
    });
  });
}

function drained(child: ChildProcess, clock: Clock, run: () => void): void {
  const streams = [child.stdout, child.stderr].filter((stream): stream is Readable => stream !== null);
  const finish = (): void => {
    cancel();
    child.removeListener("close", finish);
    for (const stream of streams) stream.destroy();
    run();
  };
  const cancel = clock.after(DRAIN_MS_MAX, finish);
  child.once("close", finish);
}

function aborted(executable: string): SupervisorError {
  return new SupervisorError("aborted", `the question to ${executable} was given up`);
}
