/** What a supervisor really holds: its heap right after a collection that it is asked for, which the kernel's figures cannot show. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Millis } from "../src/lib/clock.js";
import { kill } from "./processes.js";

/** In the directory in which the supervisor works. */
const FILE = "live-heap";
const ASK = "SIGUSR2";
const ANSWER_MS_MAX = 10_000;
const POLL_MS = 20;
const BYTES_PER_MB = 1024 ** 2;
const PRELOAD = `import { renameSync, writeFileSync } from "node:fs";
process.on("${ASK}", () => { gc(); writeFileSync("${FILE}.new", String(process.memoryUsage().heapUsed)); renameSync("${FILE}.new", "${FILE}"); });`;

/** For Node, in front of the program. */
export const LIVE_HEAP_FLAGS: readonly string[] = ["--expose-gc", `--import=data:text/javascript,${encodeURIComponent(PRELOAD)}`];

/** Rejects when there is no answer in time. */
export async function liveHeapMb(pid: number, directory: string): Promise<number> {
  const file = join(directory, FILE);
  rmSync(file, { force: true });
  kill(pid, ASK);
  const giveUpAt: Millis = systemClock.now() + ANSWER_MS_MAX;
  while (systemClock.now() < giveUpAt) {
    const text = readIfThere(file);
    if (text !== "") return Number(text) / BYTES_PER_MB;
    await systemClock.sleep(POLL_MS);
  }
  throw new Error("the supervisor does not tell what it holds");
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
