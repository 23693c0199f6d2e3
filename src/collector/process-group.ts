/**
 * Signals to a whole process group. Children are started as leaders of their own group, so that what they started in
 * turn can be ended with them, and a Ctrl-C at the terminal reaches the supervisor alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseProcStat } from "./proc-stat.js";

/** False when nobody is left to receive it. Throws only when the system does not permit it. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(process.platform === "win32" ? leader : -leader, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/**
 * Whether anything of the group still runs. Where nobody reaps orphans, as in a container whose first process is the
 * supervisor, dead members stay in the table: those do not count.
 */
export function groupLives(leader: number): boolean {
  try {
    if (!signalGroup(leader, 0)) return false;
  } catch {
    return true;
  }
  if (process.platform !== "linux") return true;
  return membersLive(leader);
}

function membersLive(leader: number): boolean {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return true;
  }
  return names.some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = parseProcStat(readFileSync(`/proc/${name}/stat`, "latin1"));
      return stat !== null && stat.group === leader && !stat.dead;
    } catch {
      return false;
    }
  });
}
