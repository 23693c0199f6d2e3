/**
 * One Collector process, one attempt. Its end is the system's word (`exit`), never the end of its output: a grandchild
 * may hold the descriptors open. Started with `node:child_process` instead of execa: measured, execa costs 100 ms of
 * start-up and 11 MB, and a spawn that takes twice as long inside the telemetry gap.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import type { Clock, Millis } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { checkExecutable, spawnError } from "./executable.js";
import type { Output } from "./output.js";
import { groupLives, signalGroup } from "./process-group.js";

/** How often the rest of a group is looked at while it ends after its leader. */
const GROUP_POLL_MS = 20;

export interface StartOptions {
  readonly attempt: number;
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly output: Output;
  readonly clock: Clock;
  readonly log: Logger;
  /** Path of setpriv, which has the Collector ended when the supervisor dies; null where there is none. */
  readonly pdeathsig: string | null;
}

export interface CollectorExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface CollectorProcess {
  readonly attempt: number;
  readonly pid: number;
  readonly startTimeUnixNano: bigint;
  /** The process and all that it started are gone. Never rejects. */
  readonly exited: Promise<CollectorExit>;
  /** SIGTERM, grace, SIGKILL to the group; resolves with its end. A later caller may shorten the grace, never lengthen it. */
  stop(graceMs: Millis): Promise<void>;
  /** SIGKILL to the group, at once. */
  kill(): void;
  /** SIGHUP. Nothing happens to a process that has ended. */
  reload(): void;
}

/** Resolves as soon as the process has a pid; rejects with code "spawn". */
export async function startCollector(options: StartOptions): Promise<CollectorProcess> {
  const { attempt, clock, executable, log } = options;
  const child = spawnChild(options);
  const startTimeUnixNano = clock.unixNano();
  const { pid } = child;
  if (pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve));
    throw spawnError(executable, error, "spawn");
  }
  return new RunningCollector({ attempt, pid, startTimeUnixNano, child, clock, log });
}

function spawnChild({ args, cwd, env, executable, output, pdeathsig }: StartOptions): ChildProcess {
  if (pdeathsig !== null) checkExecutable(executable, "spawn");
  const [file, all] = pdeathsig === null ? [executable, args] : [pdeathsig, ["--pdeathsig", "TERM", "--", executable, ...args]];
  const descriptor = output.open();
  try {
    return spawn(file, all, {
      detached: true,
      env: { ...env },
      stdio: ["ignore", descriptor, descriptor],
      windowsHide: true,
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    throw spawnError(executable, error, "spawn");
  } finally {
    closeSync(descriptor);
  }
}

interface Spawned {
  readonly attempt: number;
  readonly pid: number;
  readonly startTimeUnixNano: bigint;
  readonly child: ChildProcess;
  readonly clock: Clock;
  readonly log: Logger;
}

class RunningCollector implements CollectorProcess {
  readonly attempt: number;
  readonly pid: number;
  readonly startTimeUnixNano: bigint;
  readonly exited: Promise<CollectorExit>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #leaderGone = false;
  #gone = false;
  /** The end of the grace; null until somebody asked for the end. */
  #killAt: Millis | null = null;
  #cancelKill: () => void = () => undefined;

  constructor({ attempt, pid, startTimeUnixNano, child, clock, log }: Spawned) {
    this.attempt = attempt;
    this.pid = pid;
    this.startTimeUnixNano = startTimeUnixNano;
    this.#clock = clock;
    this.#log = log;
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#leaderGone = true;
        this.#awaitGroup(() => resolve({ code, signal }));
      });
    });
    child.on("error", (error) => log.warn("Collector process reports an error", { attempt, pid, error: messageOf(error) }));
  }

  async stop(graceMs: Millis): Promise<void> {
    if (!this.#gone) this.#askForEnd(this.#clock.now() + Math.max(0, graceMs));
    await this.exited;
  }

  kill(): void {
    if (this.#gone) return;
    this.#cancelKill();
    this.#killAt = this.#clock.now();
    this.#signal("SIGKILL");
  }

  reload(): void {
    if (this.#leaderGone) return;
    try {
      process.kill(this.pid, "SIGHUP");
    } catch (error) {
      this.#log.warn("Collector cannot be signalled", { attempt: this.attempt, pid: this.pid, error: messageOf(error) });
    }
  }

  #askForEnd(killAt: Millis): void {
    if (this.#killAt !== null && this.#killAt <= killAt) return;
    const first = this.#killAt === null;
    this.#killAt = killAt;
    this.#cancelKill();
    this.#cancelKill = this.#clock.after(killAt - this.#clock.now(), () => {
      this.#log.warn("Collector ignores the stop signal and is killed", { attempt: this.attempt, pid: this.pid });
      this.#signal("SIGKILL");
    });
    // The whole group, so that a wrapper script cannot keep the signal from the Collector behind it.
    if (first) this.#signal("SIGTERM");
  }

  /** What the leader started gets the rest of the grace when the end was asked for, and nothing after a crash. */
  #awaitGroup(onGone: () => void): void {
    const graceIsOver = this.#killAt === null || this.#killAt <= this.#clock.now();
    const lives = groupLives(this.pid);
    if (lives && !graceIsOver) {
      this.#clock.after(GROUP_POLL_MS, () => this.#awaitGroup(onGone));
      return;
    }
    if (lives) this.#signal("SIGKILL");
    this.#gone = true;
    this.#cancelKill();
    onGone();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      signalGroup(this.pid, signal);
    } catch (error) {
      this.#log.error("Collector cannot be signalled", { attempt: this.attempt, pid: this.pid, signal, error: messageOf(error) });
    }
  }
}
