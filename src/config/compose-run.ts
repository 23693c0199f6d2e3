/**
 * Runs a job: small ones here, large ones in a worker thread that has limits of time and memory, so that a megabyte from
 * the server can neither stop the loop nor take the supervisor down.
 */
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { systemClock, type Clock, type Millis } from "../lib/clock.js";
import { SupervisorError } from "../lib/error.js";
import { answer } from "./compose-answer.js";
import type { Answer, Job } from "./compose-job.js";

/** Below this a job takes some milliseconds, less than a thread needs to start. */
export const IN_PROCESS_CHARS_MAX = 64 * 1024;
export const JOB_MS_MAX: Millis = 30_000;
export const WORKER_MEMORY_MIB_MAX = 1024;

export interface RunOptions {
  readonly clock: Clock;
  /** The bundled worker; null: every job runs here. */
  readonly workerFile: string | URL | null;
  readonly inProcessCharsMax: number;
  readonly jobMsMax: Millis;
  readonly memoryMibMax: number;
}

export async function runJob(job: Job, signal: AbortSignal | undefined, options: Partial<RunOptions> = {}): Promise<Exclude<Answer, { is: "refused" }>> {
  if (signal?.aborted === true) throw aborted();
  const { inProcessCharsMax = IN_PROCESS_CHARS_MAX, workerFile = bundledWorker() } = options;
  const small = charsOf(job) <= inProcessCharsMax || workerFile === null;
  const result = small ? answer(job) : await inWorker(job, workerFile, signal, options);
  if (result.is === "refused") throw new SupervisorError(result.code, result.message);
  return result;
}

/** All endings of the worker in one place; the first one wins, and the thread never outlives it. */
async function inWorker(job: Job, file: string | URL, signal: AbortSignal | undefined, options: Partial<RunOptions>): Promise<Answer> {
  const { clock = systemClock, jobMsMax = JOB_MS_MAX, memoryMibMax = WORKER_MEMORY_MIB_MAX } = options;
  const over = new AbortController();
  const worker = new Worker(file, { workerData: job, env: {}, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: memoryMibMax } });
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.once("message", (message: Answer) => resolve(message));
      worker.once("error", (error) => reject(crash(error, memoryMibMax)));
      worker.once("exit", (code) => reject(new SupervisorError("config-refused", `the thread that composes configurations ended with code ${code}`)));
      const cancel = clock.after(jobMsMax, () => reject(tooSlow(jobMsMax)));
      over.signal.addEventListener("abort", cancel, { once: true });
      signal?.addEventListener("abort", () => reject(aborted()), { once: true, signal: over.signal });
    });
  } finally {
    over.abort();
    await worker.terminate();
  }
}

function crash(error: Error, memoryMibMax: number): SupervisorError {
  const outOfMemory = "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  if (!outOfMemory) return new SupervisorError("config-refused", `the configuration cannot be composed: ${error.message}`, { cause: error });
  return new SupervisorError("config-too-large", `the configuration needs more than ${memoryMibMax} MiB to be composed; make it smaller`, { cause: error });
}

function tooSlow(jobMsMax: Millis): SupervisorError {
  return new SupervisorError("config-too-large", `the configuration takes more than ${jobMsMax / 1000} s to be composed; make it smaller`);
}

function aborted(): SupervisorError {
  return new SupervisorError("aborted", "the work on the configuration was aborted");
}

function charsOf(job: Job): number {
  if (job.do === "redact") return job.reported.length + job.composed.length;
  return job.layers.reduce((sum, layer) => sum + ("text" in layer ? layer.text.length : 0), 0);
}

/** Beside the bundle, or above its folder of chunks; nowhere when the sources run unbundled. */
function bundledWorker(): URL | null {
  const places = ["./compose-worker.js", "../compose-worker.js"].map((place) => new URL(place, import.meta.url));
  return places.find((place) => existsSync(place)) ?? null;
}
