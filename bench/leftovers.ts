/**
 * Whatever the bench would leave behind: child processes, the Collectors that those started, and directories. All of it
 * can be ended at once and without waiting, since the bench may end by Ctrl-C or by an error.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill, processesOf } from "./processes.js";

/** A supervisor that is ended may have started a Collector in the meantime. */
const SWEEPS = 3;

export class Leftovers {
  readonly #directories = new Set<string>();
  readonly #pids = new Set<number>();

  /** A new directory; every process that works in it or names it belongs to the bench. */
  newDirectory(): string {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "opampsupervisor-bench-")));
    this.#directories.add(directory);
    return directory;
  }

  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#pids.add(pid);
    child.once("exit", () => this.#pids.delete(pid));
  }

  removeDirectory(directory: string): void {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (const pid of processesOf(directory)) kill(pid, "SIGKILL");
    }
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
      this.#directories.delete(directory);
    } catch {
      // A process that is about to end may still write into it; the last sweep of the bench tries again.
    }
  }

  endAll(): void {
    for (const pid of this.#pids) kill(pid, "SIGKILL");
    for (const directory of this.#directories) this.removeDirectory(directory);
  }
}
