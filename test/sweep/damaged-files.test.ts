/**
 * A sample of the damage with the whole built program: a file is cut off somewhere or filled with noise while the
 * supervisor is dead: after a configuration that was applied, after one that failed, and after one that failed while the
 * one before it was on probation. The next life brings everything back, and what it said decides what became of the file:
 * set aside as it was damaged, or whole again. Each length of each file: test/storage/every-length.test.ts.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { digestOf } from "../../src/storage/load.js";
import * as names from "../../src/storage/names.js";
import { REFUSAL, ROLLOUT, type Course } from "./support/courses.js";
import { noise } from "./support/noise.js";
import { sweep } from "./support/sweep.js";
import { LONG_PROBATION, type SweptHost } from "./support/swept-host.js";

const SEED = Number(process.env["SEED"] ?? 1);
const HOSTS = 2;
/** The text that is good: each has a name of its own. */
const GOOD_TEXT = "good-*.yaml";
const NEWLINE = 0x0a;

interface Damage {
  readonly after: Course;
  /** The course happens while what was applied before is on probation. */
  readonly onProbation: boolean;
  readonly name: string;
  readonly is: "cut off" | "noise";
}

const STATE = [names.PERSISTENT_STATE, names.LAST_RECEIVED, names.LAST_WORKING, names.OWN_STATE, names.COLLECTOR_FACTS, GOOD_TEXT];
const OTHERS = [names.EFFECTIVE, names.LOCK, names.COLLECTOR_RECORD, names.HISTORY, names.AGENT_LOG];
const damages: readonly Damage[] = [
  ...[...STATE, ...OTHERS].flatMap((name): Damage[] => [
    { after: ROLLOUT, onProbation: false, name, is: "cut off" },
    { after: REFUSAL, onProbation: false, name, is: "noise" },
  ]),
  ...STATE.map((name, index): Damage => ({ after: REFUSAL, onProbation: true, name, is: index % 2 === 0 ? "cut off" : "noise" })),
  { after: REFUSAL, onProbation: true, name: names.ON_PROBATION, is: "cut off" },
  { after: REFUSAL, onProbation: true, name: names.ON_PROBATION, is: "noise" },
];
let survived = 0;
let setAside = 0;
afterAll(() => console.log(`damaged files: ${survived} of ${damages.length} damages survived by the whole program, ${setAside} files set aside (SEED=${SEED})`));

test("after a death the file is damaged, and the next life comes to the same rest", { timeout: 600_000 }, async () => {
  const wordsOf = ({ after, is, name, onProbation }: Damage): string => `${name}, ${is}, after a ${after.name}${onProbation ? " during a probation" : ""}`;
  const failures = await sweep({ points: damages, hosts: HOSTS, wordsOf, visit: endure });
  expect(failures.join("\n")).toBe("");
});

async function endure(host: SweptHost, { after, is, name, onProbation }: Damage): Promise<void> {
  const good = host.goal;
  if (onProbation) {
    await host.liveWith({ config_probation: LONG_PROBATION });
    await host.act(ROLLOUT);
    await host.atRest("on probation");
  }
  await host.act(after);
  await host.atRest(onProbation ? "on probation" : "idle");
  const { agent } = host.stage;
  const { hash, is: outcome, uid } = host.goal;
  const death = await host.kill();
  const path = await pathOf(host, name);
  const damaged = await damage(path, is);
  // With what worked last goes what could be returned to: the local configuration runs.
  if (name === names.LAST_WORKING && outcome === "failed" && !onProbation) host.goal = { ...host.goal, runs: "pipelines: {}" };
  // Nothing says any more what was on probation, or that it was: what was good before it runs.
  const isForgotten = name === names.ON_PROBATION || name === names.OWN_STATE;
  if (onProbation && isForgotten) host.goal = { ...host.goal, runs: good.runs };
  const told = agent.statuses.length;
  await host.liveAgain(onProbation && !isForgotten ? "on probation" : "idle");

  const collectors = await host.stage.host.collectors();
  expect(collectors).toHaveLength(1);
  expect(death.collectors).not.toContain(collectors[0]);
  expect(agent.uid).toBe(uid);
  expect(agent.statuses.slice(told).filter((status) => status.hash === hash && status.is !== "applying" && status.is !== outcome)).toEqual([]);
  await expectDefined(host, path, damaged, collectors[0]);
  if (name === GOOD_TEXT && !onProbation) await expectGoodText(host);
  if (onProbation) await host.liveWith({});
  survived += 1;
}

async function pathOf(host: SweptHost, name: string): Promise<string> {
  const { storage } = host.stage.host;
  const found = name === GOOD_TEXT ? (await readdir(storage)).find(names.isGoodName) : name;
  return join(storage, found ?? name);
}

/** Answers with what it made of the file. */
async function damage(path: string, is: Damage["is"]): Promise<Buffer> {
  const bytes = await readFile(path);
  // Any length but the whole; without its last newline JSON is still whole.
  const length = noise(SEED + bytes.length, 4).readUInt32LE() % (bytes.length - 1);
  const damaged = is === "noise" ? noise(SEED, bytes.length) : bytes.subarray(0, length);
  expect(damaged.equals(bytes), "damaged at all").toBe(false);
  await writeFile(path, damaged);
  return damaged;
}

/** Only what was damaged is set aside, byte by byte; what is not said to be set aside is whole again. */
async function expectDefined(host: SweptHost, path: string, damaged: Buffer, collector: number | undefined): Promise<void> {
  const aside = host.supervisor.said("A damaged file was set aside");
  if (aside.length === 0) return expectWhole(host, path, damaged, collector);
  expect(aside.map(({ file }) => file)).toEqual([path]);
  expect((await readFile(String(aside[0]?.["kept_as"]))).equals(damaged), "kept as it was damaged").toBe(true);
  setAside += 1;
}

async function expectWhole(host: SweptHost, path: string, damaged: Buffer, collector: number | undefined): Promise<void> {
  const bytes = await readFile(path);
  const pidIn = (): unknown => (JSON.parse(bytes.toString()) as { pid: unknown }).pid;
  const added = bytes.subarray(damaged.length).toString();
  switch (path.slice(host.stage.host.storage.length + 1)) {
    case names.EFFECTIVE:
      return expect(bytes.toString()).toContain(host.goal.runs);
    case names.LOCK:
      return expect(pidIn()).toBe(host.supervisor.pid);
    case names.COLLECTOR_RECORD:
      return expect(pidIn()).toBe(collector);
    case names.HISTORY: {
      // Each record has a line of its own again, whatever stands before it.
      expect(added.startsWith("\n")).toBe(damaged.length > 0 && damaged.at(-1) !== NEWLINE);
      const records = added.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { what: unknown });
      return expect(records.map(({ what }) => what)).toContain("Collector starts");
    }
    case names.AGENT_LOG:
      return expect(added).toContain("Everything is ready");
    default:
      return expect.fail(`${path} was damaged, and nothing was said of it`);
  }
}

/** What runs is good, and so its text is there again. */
async function expectGoodText({ stage }: SweptHost): Promise<void> {
  await vi.waitFor(async () => {
    const found = (await readdir(stage.host.storage)).filter(names.isGoodName);
    const texts = await Promise.all(found.map((name) => readFile(join(stage.host.storage, name))));
    expect(texts.map((text) => names.goodName(digestOf(text)))).toEqual(found);
    expect(found).toHaveLength(1);
  });
}
