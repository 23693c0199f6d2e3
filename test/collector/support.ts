/** What the tests with real children share. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startCollector, type CollectorProcess, type StartOptions } from "../../src/collector/commander.js";
import { openOutput, type OutputOptions, type Output } from "../../src/collector/output.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Fields, Logger } from "../../src/lib/log.js";

export const environment = { PATH: process.env["PATH"] ?? "" };

export function fixture(name: string): string {
  return join(import.meta.dirname, "../fixtures/collector", name);
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "collector-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface LogLine {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly fields: Fields;
}

export class LinesLogger implements Logger {
  readonly lines: LogLine[];
  readonly #name: string;

  constructor(name = "", lines: LogLine[] = []) {
    this.#name = name;
    this.lines = lines;
  }

  debug(message: string, fields: Fields = {}): void {
    this.lines.push({ level: "debug", logger: this.#name, message, fields });
  }
  info(message: string, fields: Fields = {}): void {
    this.lines.push({ level: "info", logger: this.#name, message, fields });
  }
  warn(message: string, fields: Fields = {}): void {
    this.lines.push({ level: "warn", logger: this.#name, message, fields });
  }
  error(message: string, fields: Fields = {}): void {
    this.lines.push({ level: "error", logger: this.#name, message, fields });
  }
  named(name: string): Logger {
    return new LinesLogger(name, this.lines);
  }

  /** Level and message of what is worth an operator's time. */
  get warnings(): string[] {
    return this.lines.filter(({ level }) => level === "warn" || level === "error").map(({ level, message }) => `${level}: ${message}`);
  }
}

export interface Stage {
  readonly directory: string;
  readonly agentLog: string;
  readonly log: LinesLogger;
  readonly output: Output;
  readonly start: (options: Partial<StartOptions> & { executable: string }) => Promise<CollectorProcess>;
  /** What stands in agent.log now, "" before it is there. */
  readonly printed: () => string;
}

/** A storage directory, an output, and children that do not outlive the test. */
export function stage(options: Partial<OutputOptions> = {}): Stage {
  const directory = temporaryDirectory();
  const agentLog = join(directory, "agent.log");
  const log = new LinesLogger();
  const output = openOutput({ path: agentLog, passthrough: false, clock: systemClock, log, ...options });
  onTestFinished(() => output.close());
  return {
    directory,
    agentLog,
    log,
    output,
    start: async (start) => {
      const process = await startCollector({ attempt: 1, args: [], env: environment, output, clock: systemClock, log, pdeathsig: null, ...start });
      onTestFinished(() => process.kill());
      return process;
    },
    printed: () => textOf(agentLog),
  };
}

export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const STEP_MS = 5;
const LIMIT_MS = 10_000;

/** Waits for the world; fails after ten seconds. */
export async function until(isTrue: () => boolean): Promise<void> {
  const giveUpAt = systemClock.now() + LIMIT_MS;
  while (!isTrue()) {
    if (systemClock.now() > giveUpAt) throw new Error(`never true: ${isTrue.toString()}`);
    await systemClock.sleep(STEP_MS);
  }
}

export function isAlive(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat !== "" && !/\) [ZX] /.test(stat);
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  throw new Error("it did not fail");
}
