/** The Collector without a supervisor: what every supervised figure is compared with. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { systemClock, type Millis } from "../src/lib/clock.js";
import type { Bench } from "./row.js";

const PORT_MS_MAX = 30_000;

export class BareCollector {
  readonly #bench: Bench;
  readonly #port: number;
  readonly #directory: string;
  #child: ChildProcess | null = null;

  /** @param port of a receiver that its configurations open: open means up. */
  constructor(bench: Bench, port: number) {
    this.#bench = bench;
    this.#port = port;
    this.#directory = bench.leftovers.newDirectory();
  }

  /** Writes a configuration and returns its path. */
  write(name: string, text: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** Resolves with the time until the port was open. */
  async start(config: string): Promise<Millis> {
    const startedAt = systemClock.now();
    const child = this.#spawn([`--config=${config}`]);
    this.#child = child;
    while (!(await isOpen(this.#port))) {
      if (child.exitCode !== null) throw new Error(`the bare Collector ended with code ${child.exitCode}`);
      if (systemClock.now() - startedAt > PORT_MS_MAX) throw new Error("the bare Collector did not open its port");
      await systemClock.sleep(1);
    }
    return systemClock.now() - startedAt;
  }

  /** Resolves with the time from SIGTERM until it was gone. */
  async stop(): Promise<Millis> {
    const child = this.#child;
    if (child === null) throw new Error("the bare Collector does not run");
    this.#child = null;
    const stoppedAt = systemClock.now();
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
    return systemClock.now() - stoppedAt;
  }

  /** Resolves with the time that `validate` took. */
  async validate(config: string): Promise<Millis> {
    const startedAt = systemClock.now();
    const child = this.#spawn(["validate", `--config=${config}`]);
    await once(child, "exit");
    if (child.exitCode !== 0) throw new Error(`the bare Collector refused ${config}`);
    return systemClock.now() - startedAt;
  }

  async close(): Promise<void> {
    if (this.#child !== null) await this.stop();
    this.#bench.leftovers.removeDirectory(this.#directory);
  }

  #spawn(args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#directory, "collector.log"), "a");
    const child = spawn(this.#bench.collector, args, { cwd: this.#directory, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#bench.leftovers.watch(child);
    return child;
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
