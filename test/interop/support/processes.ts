/** Looks into /proc, as an operator would with `pgrep -f`: which processes run, by their command line or directory. */
import { readdir, readFile, readlink } from "node:fs/promises";

/** Those that have `text` in their command line, but not the word `except`. */
export async function processesNaming(text: string, except: string): Promise<number[]> {
  return processesThat(async (pid) => {
    const words = await commandLine(pid);
    return !words.includes(except) && words.some((word) => word.includes(text));
  });
}

/** Those that name the directory in their command line, or work in it. */
export async function processesOf(directory: string): Promise<number[]> {
  return processesThat(async (pid) => {
    const place = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    return place.startsWith(directory) || (await commandLine(pid)).some((word) => word.includes(directory));
  });
}

async function processesThat(match: (pid: number) => Promise<boolean>): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const matches = await Promise.all(pids.map(match));
  return pids.filter((_, index) => matches[index]);
}

/** Empty for a process that is gone, and for one that ended and waits to be reaped. */
async function commandLine(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  } catch {
    return [];
  }
}
