/**
 * Whether the kernel ended a process for want of memory: it sends SIGKILL and tells nobody, but it counts. The counter of
 * our own control group is certain; that of the whole host only says that some process was ended.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export type MemoryKill = "none" | "cgroup" | "host";

/** A shell that saw its child killed by SIGKILL ends with this. */
const SHELL_SIGKILL_CODE = 128 + 9;

export class MemoryKills {
  readonly #root: string;

  /** @param root of `/proc` and `/sys`, for tests */
  constructor(root = "/") {
    this.#root = root;
  }

  /** A process starts: what is counted from here on may be its end. Never rejects. */
  mark(): Promise<Counts> {
    return this.#counts();
  }

  /** How the process ended, and what was counted since its mark. Never rejects. */
  async judge({ code, signal }: { readonly code: number | null; readonly signal: string | null }, before: Counts): Promise<MemoryKill> {
    if (signal !== "SIGKILL" && code !== SHELL_SIGKILL_CODE) return "none";
    const now = await this.#counts();
    if (grew(before.cgroup, now.cgroup)) return "cgroup";
    // Where the group counts, the host's other processes are nobody's business here.
    return before.cgroup === null && grew(before.host, now.host) ? "host" : "none";
  }

  async #counts(): Promise<Counts> {
    const [cgroup, host] = await Promise.all([this.#cgroup(), this.#count("proc/vmstat")]);
    return { cgroup, host };
  }

  /** Version 2 has one hierarchy, version 1 one for memory; in a container the path may be that of the host, and the root is ours. */
  async #cgroup(): Promise<number | null> {
    const lines = (await this.#read("proc/self/cgroup")).split("\n");
    const unified = pathOf(lines, "");
    const memory = pathOf(lines, "memory");
    const files = [
      ...(unified === null ? [] : [join("sys/fs/cgroup", unified, "memory.events"), "sys/fs/cgroup/memory.events"]),
      ...(memory === null ? [] : [join("sys/fs/cgroup/memory", memory, "memory.oom_control"), "sys/fs/cgroup/memory/memory.oom_control"]),
    ];
    for (const file of files) {
      const count = await this.#count(file);
      if (count !== null) return count;
    }
    return null;
  }

  async #count(file: string): Promise<number | null> {
    const found = /^oom_kill (\d+)$/m.exec(await this.#read(file));
    return found === null ? null : Number(found[1]);
  }

  async #read(file: string): Promise<string> {
    return readFile(join(this.#root, file), "utf8").catch(() => "");
  }
}

export interface Counts {
  /** Null: nobody counts. */
  readonly cgroup: number | null;
  readonly host: number | null;
}

function grew(before: number | null, now: number | null): boolean {
  return before !== null && now !== null && now > before;
}

/** Lines are `number:controllers:path`. */
function pathOf(lines: readonly string[], controller: string): string | null {
  for (const line of lines) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined && controllers.split(",").includes(controller)) return path;
  }
  return null;
}
