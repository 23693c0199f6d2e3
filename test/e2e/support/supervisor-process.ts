/** The supervisor as a process: what it printed, its log as parsed lines, its end. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { inject } from "vitest";
import { systemClock } from "../../../src/lib/clock.js";

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly logger: string;
  readonly msg: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Default `--config=supervisor.yaml`. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Whom to be; default the user of the tests. */
  readonly uid?: number;
}

const TIMEOUT_MS = 12_000;

export class SupervisorProcess {
  readonly pid: number;
  /** When all that it printed has arrived too. */
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";
  /** Both streams, as far as they are log lines. */
  readonly log: LogLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #listeners = new Set<() => void>();

  constructor(directory: string, { args = ["--config=supervisor.yaml"], env = {}, uid }: StartOptions = {}) {
    this.#child = spawn(process.execPath, [join(inject("program"), "bin/opampsupervisor.js"), ...args], {
      cwd: directory,
      env: { ...withoutProxies(process.env), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(uid === undefined ? {} : { uid }),
    });
    this.pid = this.#child.pid ?? 0;
    this.#read(this.#child.stdout, (text) => (this.stdout += text));
    this.#read(this.#child.stderr, (text) => (this.stderr += text));
    this.ended = once(this.#child, "close").then(() => {
      this.#tell();
      return { code: this.#child.exitCode, signal: this.#child.signalCode };
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  end(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.signal(signal);
    return this.ended;
  }

  /** The log lines with that message. */
  said(message: string): LogLine[] {
    return this.log.filter(({ msg }) => msg === message);
  }

  /** Resolves with the line number `count` of that message; rejects when there is none in time or the process has ended. */
  logs(message: string, count = 1): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const line = this.said(message)[count - 1];
        if (line !== undefined) over(() => resolve(line));
        else if (!this.isRunning) over(() => reject(new Error(`it ended without the log line "${message}": ${this.stderr}`)));
      };
      const over = (settle: () => void): void => {
        cancel();
        this.#listeners.delete(look);
        settle();
      };
      const cancel = systemClock.after(TIMEOUT_MS, () => over(() => reject(new Error(`no log line "${message}" within ${TIMEOUT_MS} ms`))));
      this.#listeners.add(look);
      look();
    });
  }

  #read(stream: Readable, take: (text: string) => void): void {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      take(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("{")) this.log.push(JSON.parse(line) as LogLine);
      this.#tell();
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Everything here is on the loopback address, whatever the machine's way to the world is. */
function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name)));
}
