/**
 * A Collector that outlived its supervisor would hold the ports of the next one. So each supervisor leaves a record of
 * the Collector that it runs, and the next one ends that very process: boot, pid, start time and command line must all
 * match, else the number belongs to somebody else by now. Before the spawn it announces one: a supervisor that dies before
 * it knows the number has the next one look for a process that runs this configuration. So does a record that is damaged.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Millis } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { parseProcStat, type ProcStat } from "./proc-stat.js";
import { groupLives, signalGroup } from "./process-group.js";

const RECORD = "collector.pid.json";
const EFFECTIVE = "effective.yaml";
const RECORD_BYTES_MAX = 64 * 1024;
const POLL_MS = 20;
/** After SIGKILL, for a process that the system does not let go at once. */
const KILLED_MS_MAX = 2_000;

interface Announcement {
  readonly bootId: string;
  /** Stands on its command line behind `--config`. */
  readonly configPath: string;
}

interface CollectorRecord extends Announcement {
  readonly pid: number;
  readonly startTicks: string;
}

/** Right before the spawn. */
export function announceCollector(directory: string, log: Logger): void {
  if (process.platform !== "linux") return;
  try {
    write(directory, { bootId: bootId(), configPath: join(directory, EFFECTIVE) });
  } catch (error) {
    log.warn("Collector process cannot be announced, a next supervisor may not find it", { error: messageOf(error) });
  }
}

/** Right after the spawn, before anything else: written at once, without waiting for the disk, since a reboot voids it. */
export function recordCollector(directory: string, pid: number, log: Logger): void {
  if (process.platform !== "linux") return;
  try {
    const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (stat === null) throw new Error("its entry in /proc is not in the known form");
    write(directory, { bootId: bootId(), pid, startTicks: stat.startTicks, configPath: join(directory, EFFECTIVE) });
  } catch (error) {
    log.warn("Collector process cannot be recorded, a next supervisor would not find it", { pid, error: messageOf(error) });
  }
}

function write(directory: string, record: Announcement | CollectorRecord): void {
  const temporary = join(directory, `.${RECORD}.tmp`);
  // Created anew: what lies there could be a link, or readable by others.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, `${JSON.stringify({ version: 1, ...record })}\n`, { mode: 0o600, flag: "wx" });
  renameSync(temporary, join(directory, RECORD));
}

export function forgetCollector(directory: string): void {
  // What cannot be removed does no harm: the process that it names is gone.
  try {
    rmSync(join(directory, RECORD), { force: true });
  } catch {
    return;
  }
}

export interface EndLeftoverOptions {
  readonly graceMs: Millis;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Resolves when no Collector of an earlier supervisor runs on this directory, as far as that can be known. Never rejects. */
export async function endLeftover(directory: string, options: EndLeftoverOptions): Promise<void> {
  const read = await readRecord(directory, options.log);
  if (read === null) return;
  const records = "pid" in read ? [read] : recordsOf(read);
  const ended = await Promise.all(records.map((record) => endOne(record, options)));
  if (!ended.includes(false)) forgetCollector(directory);
}

/** False: it is still there. */
async function endOne(record: CollectorRecord, { clock, graceMs, log }: EndLeftoverOptions): Promise<boolean> {
  const leftover = find(record);
  if (leftover === null) {
    log.debug("Collector of an earlier supervisor is gone", { pid: record.pid });
    return true;
  }
  log.warn("Ending a Collector that an earlier supervisor left behind", { pid: record.pid });
  try {
    signal(record, leftover, "SIGTERM");
    if (!(await gone(record, leftover, graceMs, clock))) {
      log.warn("Collector left behind ignores the stop signal and is killed", { pid: record.pid });
      // Nobody else can have its numbers yet: something of it lived at the last look.
      signal(record, leftover, "SIGKILL");
      if (!(await gone(record, leftover, KILLED_MS_MAX, clock))) throw new Error("it is still there after SIGKILL");
    }
    return true;
  } catch (error) {
    log.error("Collector left behind cannot be ended, end it by hand", { pid: record.pid, error: messageOf(error) });
    return false;
  }
}

/** Whatever runs this configuration: the lock on the directory is ours, so it can only be what was announced. */
function recordsOf(announced: Announcement): CollectorRecord[] {
  const pids = readdirSync("/proc").map(Number).filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid);
  return pids.flatMap((pid) => {
    const startTicks = statOf(pid)?.startTicks;
    const record = startTicks === undefined ? null : { ...announced, pid, startTicks };
    return record === null || find(record) === null ? [] : [record];
  });
}

async function readRecord(directory: string, log: Logger): Promise<CollectorRecord | Announcement | null> {
  let text: string;
  try {
    text = await readFile(join(directory, RECORD), "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : unreadable(directory, messageOf(error), log);
  }
  if (process.platform !== "linux") {
    log.debug("Collectors left behind are only found on Linux");
    return null;
  }
  const record = text.length > RECORD_BYTES_MAX ? null : parseRecord(text);
  return record ?? unreadable(directory, "it is damaged", log);
}

/** Something ran here. */
function unreadable(directory: string, error: string, log: Logger): Announcement | null {
  log.warn("Record of the last Collector cannot be read, so whatever runs its configuration is looked for", { file: RECORD, error });
  return process.platform === "linux" ? { bootId: bootId(), configPath: join(directory, EFFECTIVE) } : null;
}

function parseRecord(text: string): CollectorRecord | Announcement | null {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof CollectorRecord, unknown>> | null;
    const { bootId: boot, configPath, pid, startTicks } = value ?? {};
    if (typeof boot !== "string" || boot === "" || typeof configPath !== "string" || configPath === "") return null;
    if (pid === undefined && startTicks === undefined) return { bootId: boot, configPath };
    // 1 and below would address init, or every process there is.
    if (typeof startTicks !== "string" || typeof pid !== "number" || !Number.isInteger(pid) || pid <= 1) return null;
    return { bootId: boot, configPath, pid, startTicks };
  } catch {
    return null;
  }
}

/** The recorded process itself, null when it is gone or the number belongs to another one. */
function find(record: CollectorRecord): ProcStat | null {
  try {
    const stat = bootId() === record.bootId ? living(record) : null;
    if (stat === null) return null;
    const words = readFileSync(`/proc/${record.pid}/cmdline`, "utf8").split("\0");
    const runsConfig = words.some((word, index) => word === "--config" && words[index + 1] === record.configPath);
    return runsConfig ? stat : null;
  } catch {
    return null;
  }
}

function living({ pid, startTicks }: CollectorRecord): ProcStat | null {
  const stat = statOf(pid);
  return stat !== null && !stat.dead && stat.startTicks === startTicks ? stat : null;
}

function statOf(pid: number): ProcStat | null {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return null;
  }
}

/** With all that it started: behind a wrapper script, the Collector itself ends after its leader. */
async function gone(record: CollectorRecord, { group }: ProcStat, withinMs: Millis, clock: Clock): Promise<boolean> {
  const until = clock.now() + withinMs;
  while (living(record) !== null || (group === record.pid && groupLives(group))) {
    if (clock.now() >= until) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

function signal({ pid }: CollectorRecord, { group }: ProcStat, name: NodeJS.Signals): void {
  if (group === pid) {
    signalGroup(pid, name);
    return;
  }
  // Not the leader of its group: then the group holds others.
  process.kill(pid, name);
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}
