/**
 * Where setpriv lies that can ask the kernel to signal the Collector when its parent dies. Older ones (util-linux before
 * 2.33) and that of busybox refuse the option, and the Collector would never start; so the program is looked into rather
 * than run, which would cost the start a process.
 */
import { constants } from "node:fs";
import { access, readFile, realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";

const SETPRIV_BYTES_MAX = 1024 * 1024;
const STANDARD_DIRECTORIES = ["/usr/bin", "/bin"];

/** Null when there is none that can do it; the leftover record serves then. */
export async function findSetpriv(searchPath: string | undefined): Promise<string | null> {
  if (process.platform !== "linux") return null;
  // A relative entry of PATH is whatever lies in the working directory: not to be run.
  const directories = [...STANDARD_DIRECTORIES, ...(searchPath ?? "").split(":")].filter((directory) => isAbsolute(directory));
  for (const directory of new Set(directories)) {
    const path = join(directory, "setpriv");
    if (await canSignalOnDeath(path)) return path;
  }
  return null;
}

async function canSignalOnDeath(path: string): Promise<boolean> {
  try {
    if (basename(await realpath(path)) !== "setpriv") return false;
    const { size } = await stat(path);
    if (size > SETPRIV_BYTES_MAX) return false;
    await access(path, constants.X_OK);
    return (await readFile(path)).includes("pdeathsig");
  } catch {
    return false;
  }
}
