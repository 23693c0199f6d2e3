/**
 * One supervisor for each directory. On Linux the kernel holds the lock: a socket in the abstract namespace, freed when
 * the process ends however it ends. Containers with a network of their own do not share that namespace, and other
 * systems do not have it; for them `supervisor.lock` names the holder, and it counts while that process is alive.
 */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { SupervisorError } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { unusable } from "./directory.js";
import { randomPart } from "./file-system.js";
import { LOCK, temporaryName } from "./names.js";
import { errnoOf } from "./storage-error.js";

const HOLDER_BYTES_MAX = 4_096;

export interface Lock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Of this start of the machine; "" where the system has none. */
  readonly bootId: string;
  /** In ticks since then; with it a pid that was given out again is known. "" where the system has none. */
  readonly startTime: string;
}

/** @param directory its real path. Rejects with code "storage-locked", or "storage" when the directory is not writable. */
export async function acquireLock(directory: string, log: Logger): Promise<Lock> {
  const file = join(directory, LOCK);
  const socket = process.platform === "linux" ? await bind(directory) : null;
  if (socket === "taken") throw locked(directory, readHolder(file)?.pid ?? null);
  const holder = readHolder(file);
  if (holder !== null && isAlive(holder)) {
    await close(socket);
    throw locked(directory, holder.pid);
  }
  try {
    record(file, directory);
  } catch (error) {
    if (!["ENOSPC", "EDQUOT"].includes(errnoOf(error)) || socket === null) {
      await close(socket);
      throw await unusable(directory, error);
    }
    log.warn("Disk is full: the lock of the storage directory is held, but not written down", { file });
  }
  return {
    async release() {
      if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
      await close(socket);
    },
  };
}

function locked(directory: string, pid: number | null): SupervisorError {
  const who = pid === null ? "another supervisor" : `another supervisor (pid ${pid})`;
  return new SupervisorError(
    "storage-locked",
    `${who} uses storage.directory ${directory}: stop it, or give this one a storage.directory of its own`,
  );
}

/** The name tells directory and user, so that one user's lock does not stand in another one's way. */
async function bind(directory: string): Promise<Server | "taken"> {
  const uid = process.geteuid?.() ?? 0;
  const name = createHash("sha256").update(`${uid}:${directory}`).digest("hex");
  const server = createServer((connection) => connection.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      if (errnoOf(error) === "EADDRINUSE") resolve("taken");
      else reject(new SupervisorError("storage", `cannot lock storage.directory ${directory}: ${error.message}`, { cause: error }));
    });
    server.listen({ path: `\0opampsupervisor-${name}` }, () => resolve(server));
  });
}

async function close(server: Server | null): Promise<void> {
  if (server !== null) await new Promise((resolve) => server.close(resolve));
}

/** Written beside and renamed, so that nobody reads half of it. It needs no sync: after a crash nobody holds the lock. */
function record(file: string, directory: string): void {
  const holder: Holder = { pid: process.pid, bootId: bootId(), startTime: startTime(process.pid) ?? "" };
  const temporary = join(directory, temporaryName(LOCK, randomPart()));
  try {
    writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Null when there is none, or none that can be understood: a damaged record holds nobody off. */
function readHolder(file: string): Holder | null {
  try {
    // Anything else, a pipe above all, could keep the start waiting.
    const stats = lstatSync(file);
    if (!stats.isFile() || stats.size > HOLDER_BYTES_MAX) return null;
    const { pid, bootId, startTime } = JSON.parse(readFileSync(file, "utf8")) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || typeof bootId !== "string" || typeof startTime !== "string") return null;
    return { pid: pid as number, bootId, startTime };
  } catch {
    return null;
  }
}

/** A reboot or a pid that now belongs to another process ends a claim; our own pid comes back in restarted containers. */
function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid || holder.pid <= 0 || holder.bootId !== bootId()) return false;
  if (process.platform === "linux") return startTime(holder.pid) === holder.startTime;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

function bootId(): string {
  if (process.platform !== "linux") return "";
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Field 22 of /proc/pid/stat; null when there is no such process. The name before it may hold spaces and brackets. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
