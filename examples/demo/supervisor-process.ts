/**
 * The supervisor as a process of its own, as on a host. It gets a group of its own, since the terminal sends Ctrl-C to
 * everybody in the demo's group, and a second signal means "at once" to the supervisor.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { findSetpriv } from "../../src/collector/find-setpriv.js";
import { systemClock } from "../../src/lib/clock.js";

export interface SupervisorProcess {
  readonly pid: number;
  readonly exited: Promise<Ended>;
  /** SIGTERM: it stops its Collector, says goodbye and ends. */
  stop(): void;
  /** Ends it, and its Collector, at once. */
  kill(): void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly words: string;
}

const WORDS_CHARS_MAX = 4_000;
/** What the supervisor gets to kill its Collector before it is killed itself. */
const KILL_MS = 1_000;

/** Rejects when it cannot be started. */
export async function startSupervisor(program: string, settings: string): Promise<SupervisorProcess> {
  // A demo that is killed outright can stop nobody, so the kernel does it.
  const setpriv = await findSetpriv(process.env["PATH"]);
  const command = [process.execPath, program, `--config=${settings}`];
  const [file = "", ...args] = setpriv === null ? command : [setpriv, "--pdeathsig", "TERM", "--", ...command];
  const child = spawn(file, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
  const exited = ended(child);
  return {
    pid,
    exited,
    stop: () => void child.kill("SIGTERM"),
    kill() {
      // The second signal ends the Collector with the supervisor; to be the second, there has to be a first.
      child.kill("SIGTERM");
      child.kill("SIGINT");
      const cancel = systemClock.after(KILL_MS, () => child.kill("SIGKILL"));
      void exited.then(cancel);
    },
  };
}

function ended(child: ChildProcess): Promise<Ended> {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-WORDS_CHARS_MAX);
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, words: words.trim() }));
  });
}
