/**
 * Five hundred configuration changes in one life of the supervisor: what it holds after the first hundred it holds after
 * the last, too. The Collector is the stand-in, since nothing of it is measured and it can crash on purpose.
 *
 * V8 lets its young generation grow as it sees fit, garbage included, which would hide a leak of less than that. So a
 * second supervisor, whose young generation is kept small, goes through the same beside the first one, and is asked what
 * is left after a collection.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { RemoteConfigStatuses, type AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock } from "../../src/lib/clock.js";
import { Host } from "../host.js";
import { LIVE_HEAP_FLAGS, liveHeapMb } from "../live-heap.js";
import { mixedChanges, type MixedChange } from "../mixed-changes.js";
import { memoryOf, openFiles } from "../processes.js";
import type { Bench, Finding, Row, SupervisorProgram, Unit } from "../row.js";
import { atMostAbove } from "../samples.js";

const CHANGES = 500;
/** Until then caches fill and the busiest code is compiled. */
const WARM_UP_CHANGES = 50;
/** What is compared: this many changes after the warm-up with this many at the end. */
const WINDOW_CHANGES = 50;
const SAMPLE_EVERY = 5;
/** What a change still has to do after its status, the way back included. */
const SETTLE_MS = 1_000;
/** The young generation at its largest: three times the 16 MB of a semi-space. */
const YOUNG_MB = 48;
/** Compiled code, and pages that are not full; 25 kB kept of each change would be over it. */
const MORE_MB = 10;
const SMALL_YOUNG_FLAG = "--max-semi-space-size=1";
/** Compiled code and caches: 5 kB kept of each change would be over it. */
const MORE_LIVE_MB = 2;
/** A connection or a log that happens to be opened. */
const MORE_FILES = 2;
/** So short that some changes pass it, and others come before its end. */
const AGENT = ["config_probation: 500ms"];
const BYTES_PER_MB = 1024 ** 2;

interface Sample {
  readonly residentMb: number;
  readonly anonymousMb: number;
  /** After a collection; NaN where the program is not asked. */
  readonly liveMb: number;
  readonly openFiles: number;
  /** In the storage directory. */
  readonly storedFiles: number;
  readonly storedMb: number;
}

interface Soaked {
  readonly early: readonly Sample[];
  readonly late: readonly Sample[];
  /** How many changes of each kind came to which end. */
  readonly outcomes: ReadonlyMap<string, number>;
}

export const soakRow: Row = {
  name: "soak",
  isSlow: true,
  async measure(bench) {
    const ours = bench.supervisors.find(({ name }) => name === "ours");
    if (ours === undefined) throw new Error("our program is not among the supervisors");
    const [program, ...args] = ours.command;
    const [asItIs, small] = await Promise.all([
      soak(bench, ours, false),
      soak(bench, { ...ours, command: [program, SMALL_YOUNG_FLAG, ...LIVE_HEAP_FLAGS, ...args] }, true),
    ]);
    tell(bench, asItIs);
    return [
      finding("resident memory", "MB", "residentMb", asItIs, YOUNG_MB),
      finding("anonymous memory", "MB", "anonymousMb", asItIs, YOUNG_MB),
      finding("resident memory, small young generation", "MB", "residentMb", small, MORE_MB),
      finding("anonymous memory, small young generation", "MB", "anonymousMb", small, MORE_MB),
      finding("live heap", "MB", "liveMb", small, MORE_LIVE_MB),
      finding("open files", "files", "openFiles", asItIs, MORE_FILES),
      finding("files in storage", "files", "storedFiles", asItIs, MORE_FILES),
    ];
  },
};

async function soak(bench: Bench, supervisor: SupervisorProgram, isAsked: boolean): Promise<Soaked> {
  const host = await Host.create(bench, supervisor, { executable: () => bench.standIn, agent: AGENT });
  const { pid } = await host.startHealthy();
  const early: Sample[] = [];
  const late: Sample[] = [];
  const outcomes = new Map<string, number>();
  const next = mixedChanges();
  for (let change = 1; change <= CHANGES; change++) {
    const mixed = next();
    await makeChange(host, mixed);
    const outcome = `${mixed.kind} ${mixed.outcome}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const window = windowOf(change);
    if (window === null || change % SAMPLE_EVERY !== 0) continue;
    await systemClock.sleep(SETTLE_MS);
    const asItIs = sample(pid, join(host.directory, "storage"));
    const liveMb = isAsked ? await liveHeapMb(pid, host.directory) : NaN;
    (window === "early" ? early : late).push({ liveMb, ...asItIs });
  }
  await host.close();
  return { early, late, outcomes };
}

function windowOf(change: number): "early" | "late" | null {
  if (change > CHANGES - WINDOW_CHANGES) return "late";
  return change > WARM_UP_CHANGES && change <= WARM_UP_CHANGES + WINDOW_CHANGES ? "early" : null;
}

/** Rejects when it ends otherwise than it has to. */
async function makeChange(host: Host, { body, kind, outcome }: MixedChange): Promise<void> {
  host.server.forget();
  const { hash } = await host.server.send(body);
  const { message } = await host.next(0, (arrived) => outcomeOf(arrived, hash) !== null, `the outcome of a configuration that is ${kind}`);
  const came = outcomeOf(message, hash);
  if (came !== outcome) throw new Error(`a configuration that is ${kind} was ${came ?? "not decided"}: ${message.remoteConfigStatus?.errorMessage ?? ""}`);
}

function outcomeOf({ remoteConfigStatus }: AgentToServer, hash: Uint8Array): MixedChange["outcome"] | null {
  if (remoteConfigStatus === undefined || !Buffer.from(hash).equals(remoteConfigStatus.lastRemoteConfigHash)) return null;
  switch (remoteConfigStatus.status) {
    case RemoteConfigStatuses.RemoteConfigStatuses_APPLIED:
      return "APPLIED";
    case RemoteConfigStatuses.RemoteConfigStatuses_FAILED:
      return "FAILED";
    default:
      return null;
  }
}

function sample(pid: number, storage: string): Omit<Sample, "liveMb"> {
  const stored = readdirSync(storage).map((name) => statSync(join(storage, name)).size);
  const storedMb = stored.reduce((sum, bytes) => sum + bytes, 0) / BYTES_PER_MB;
  return { ...memoryOf(pid), openFiles: openFiles(pid), storedFiles: stored.length, storedMb };
}

function tell(bench: Bench, { early, late, outcomes }: Soaked): void {
  const count = (end: string): number => [...outcomes].filter(([name]) => name.endsWith(end)).reduce((sum, [, number]) => sum + number, 0);
  const kinds = [...outcomes].map(([name, number]) => `${number} ${name}`).join(", ");
  bench.note(`of ${CHANGES} changes ${count("APPLIED")} were APPLIED and ${count("FAILED")} FAILED, each as it had to be: ${kinds}`);
  const stored = (samples: readonly Sample[]): string => `${(samples.at(-1)?.storedMb ?? NaN).toFixed(1)} MB`;
  bench.note(`the storage directory grew from ${stored(early)} to ${stored(late)}, by agent.log and history.jsonl, which have their limits`);
}

function finding(name: string, unit: Unit, figure: keyof Sample, { early, late }: Soaked, more: number): Finding {
  const what = `after ${WARM_UP_CHANGES} to ${WARM_UP_CHANGES + WINDOW_CHANGES}`;
  const before = early.map((one) => one[figure]);
  return {
    what: `${name} after ${CHANGES} changes`,
    unit,
    ours: late.map((one) => one[figure]),
    go: [],
    bare: { what, samples: before },
    limit: atMostAbove(before, what, more, unit),
  };
}
