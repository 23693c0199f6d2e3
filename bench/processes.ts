/** Processes as the kernel shows them in /proc: what the bench knows of a supervisor, it knows from outside. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Memory {
  readonly residentMb: number;
  readonly anonymousMb: number;
}

/** Those that work in the directory or name it in their command line. */
export function processesOf(directory: string): number[] {
  return pids().filter((pid) => workPlace(pid).startsWith(directory) || read(pid, "cmdline").includes(directory));
}

/** The direct child that runs this executable; null where there is none. */
export function childRunning(parent: number, executable: string): number | null {
  return pids().find((pid) => parentOf(pid) === parent && link(pid, "exe") === executable) ?? null;
}

/** A process that ended and only waits to be reaped is gone. */
export function isAlive(pid: number): boolean {
  const [state] = statFields(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

export function memoryOf(pid: number): Memory {
  const status = read(pid, "status");
  const megabytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? NaN) / 1024;
  return { residentMb: megabytes("VmRSS"), anonymousMb: megabytes("RssAnon") };
}

/** Descriptors: files, sockets, pipes; 0 for a process that is gone. */
export function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** User and system time since its start, in clock ticks; NaN for a process that is gone. */
export function cpuTicks(pid: number): number {
  const fields = statFields(pid);
  return Number(fields[11]) + Number(fields[12]);
}

function pids(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
}

function parentOf(pid: number): number {
  return Number(statFields(pid)[1]);
}

/** From the state on: the name before it may hold spaces and parentheses. */
function statFields(pid: number): string[] {
  const stat = read(pid, "stat");
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function workPlace(pid: number): string {
  return link(pid, "cwd");
}

function link(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return "";
  }
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
