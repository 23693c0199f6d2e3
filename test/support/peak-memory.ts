/** What a process took of the machine's memory at most. */
import { readFile } from "node:fs/promises";

/** The largest resident size since its start, in MiB, as the kernel keeps it. */
export async function peakMemoryMib(pid: number): Promise<number> {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`the kernel does not say how much memory process ${pid} took`);
  return Number(kib) / 1024;
}
