/**
 * A sample of the damage with the whole built program: a file is cut off somewhere or filled with noise while the
 * supervisor is dead, once after a configuration that was applied and once after one that failed. The next life brings
 * everything back. Each length of each file: test/storage/damaged-files.test.ts and every-length.test.ts.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as names from "../../src/storage/names.js";
import { REFUSAL, ROLLOUT, type Course } from "./support/courses.js";
import { noise } from "./support/noise.js";
import { sweep } from "./support/sweep.js";
import type { SweptHost } from "./support/swept-host.js";

const SEED = Number(process.env["SEED"] ?? 1);
const HOSTS = 2;
/** Those that are read and hold state: they are set aside. */
const STATE = [names.PERSISTENT_STATE, names.LAST_RECEIVED, names.LAST_WORKING, names.OWN_STATE, names.COLLECTOR_FACTS];
const OTHERS = [names.EFFECTIVE, names.LOCK, names.COLLECTOR_RECORD, names.HISTORY, names.AGENT_LOG];

interface Damage {
  readonly after: Course;
  readonly name: string;
  readonly is: "cut off" | "noise";
}

const damages: readonly Damage[] = [...STATE, ...OTHERS].flatMap((name) => [
  { after: ROLLOUT, name, is: "cut off" },
  { after: REFUSAL, name, is: "noise" },
]);
let survived = 0;
afterAll(() => console.log(`damaged files: ${survived} of ${damages.length} damages survived by the whole program (SEED=${SEED})`));

test("after a death the file is damaged, and the next life comes to the same rest", { timeout: 600_000 }, async () => {
  const failures = await sweep({ points: damages, hosts: HOSTS, wordsOf: ({ after, is, name }) => `${name}, ${is}, after a ${after.name}`, visit: endure });
  expect(failures.join("\n")).toBe("");
});

async function endure(host: SweptHost, { after, is, name }: Damage): Promise<void> {
  await host.act(after);
  await host.atRest();
  const { agent } = host.stage;
  const { hash, is: outcome, uid } = host.goal;
  const death = await host.kill();
  await damage(join(host.stage.host.storage, name), is);
  // Without its record a Collector that outlives its supervisor is nobody's.
  if (name === names.COLLECTOR_RECORD) host.endCollectors(death);
  // With what worked last goes what could be returned to: the local configuration runs.
  if (name === names.LAST_WORKING && outcome === "failed") host.goal = { ...host.goal, runs: "pipelines: {}" };
  const told = agent.statuses.length;
  await host.liveAgain();

  const collectors = await host.stage.host.collectors();
  expect(collectors).toHaveLength(1);
  expect(death.collectors).not.toContain(collectors[0]);
  expect(agent.uid).toBe(uid);
  expect(agent.statuses.slice(told).filter((status) => status.hash === hash && status.is !== "applying" && status.is !== outcome)).toEqual([]);
  const aside = host.supervisor.said("A damaged file was set aside").map(({ file }) => file);
  expect(aside).toEqual(STATE.includes(name) ? [join(host.stage.host.storage, name)] : []);
  survived += 1;
}

async function damage(path: string, is: Damage["is"]): Promise<void> {
  const bytes = await readFile(path);
  // Any length but the whole; without its last newline JSON is still whole.
  const length = noise(SEED + bytes.length, 4).readUInt32LE() % (bytes.length - 1);
  await writeFile(path, is === "noise" ? noise(SEED, bytes.length) : bytes.subarray(0, length));
}
