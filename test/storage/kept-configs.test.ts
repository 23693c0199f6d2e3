/** The last configurations that ran, with what became of them: bounded, private, and never in the way. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLogger } from "../../src/lib/log.js";
import { KeptConfigs, type KeptConfig } from "../../src/storage/kept-configs.js";
import { ManualClock } from "../support/manual-clock.js";
import { recordingLogger, temporaryDirectory, type Line } from "./open-store.js";

const digest = (name: string): string => Buffer.from(name).toString("hex").padEnd(64, "0");
const ran = (name: string, text = `name: ${name}\n`, attempt = 1) => ({ attempt, digest: digest(name), hash: name === "local" ? null : digest(name).slice(0, 4), text });

async function indexIn(directory: string): Promise<KeptConfig[]> {
  return JSON.parse(await readFile(join(directory, "config_history/index.json"), "utf8")) as KeptConfig[];
}

test("each one is kept with its result and times, in files that only their owner can read", async () => {
  const directory = await temporaryDirectory();
  const clock = new ManualClock();
  const kept = new KeptConfigs({ directory, clock, log: silentLogger });
  kept.ran(ran("a"));
  kept.result(digest("a"), "healthy", "");
  kept.result(digest("a"), "good", "it stayed healthy for 60 s");
  kept.ran(ran("b", "name: b\n", 2));
  kept.result(digest("b"), "failed", "the Collector exited with code 1");
  // Within the same second as its first run.
  clock.advance(1);
  kept.ran(ran("a", "name: a\n", 3));
  kept.result(digest("a"), "healthy", "");
  await kept.close();
  const index = await indexIn(directory);
  expect(index.map(({ attempt, because, hash, result }) => ({ attempt, because, hash, result }))).toEqual([
    { attempt: 1, because: "it stayed healthy for 60 s", hash: "6100", result: "good" },
    { attempt: 2, because: "the Collector exited with code 1", hash: "6200", result: "failed" },
    { attempt: 3, because: "", hash: "6100", result: "healthy" },
  ]);
  const [first, second] = index;
  expect(await readFile(join(directory, "config_history", second?.file ?? ""), "utf8")).toBe("name: b\n");
  expect(Date.parse(first?.startedAt ?? "")).not.toBeNaN();
  expect((await stat(join(directory, "config_history"))).mode & 0o777).toBe(0o700);
  for (const name of await readdir(join(directory, "config_history"))) {
    expect((await stat(join(directory, "config_history", name))).mode & 0o777, name).toBe(0o600);
  }
});

test("what ran last is not written again by a restart, nor by the next supervisor", async () => {
  const directory = await temporaryDirectory();
  for (const attempt of [1, 2]) {
    const kept = new KeptConfigs({ directory, clock: new ManualClock(), log: silentLogger });
    kept.ran(ran("a", "name: a\n", attempt));
    kept.ran(ran("a", "name: a\n", attempt + 1));
    await kept.close();
  }
  expect(await readdir(join(directory, "config_history"))).toHaveLength(2);
  expect((await indexIn(directory)).map(({ attempt }) => attempt)).toEqual([1]);
});

test("the oldest go when there are too many or they are too large; the newest stays whatever its size", async () => {
  const directory = await temporaryDirectory();
  const kept = new KeptConfigs({ directory, clock: new ManualClock(), log: silentLogger, countMax: 3, bytesMax: 1_000 });
  for (let number = 0; number < 7; number++) kept.ran(ran(`n${number}`));
  await kept.close();
  expect((await indexIn(directory)).map(({ digest }) => digest)).toEqual([digest("n4"), digest("n5"), digest("n6")]);
  kept.ran(ran("large", "x".repeat(990)));
  kept.ran(ran("huge", "x".repeat(2_000)));
  await kept.close();
  expect((await indexIn(directory)).map(({ digest }) => digest)).toEqual([digest("huge")]);
  expect(await readdir(join(directory, "config_history"))).toHaveLength(2);
});

test.each([
  ["garbage", "{"],
  ["another shape", '{"a":1}'],
  ["entries that point elsewhere", '[{"file":"../persistent_state.yaml","digest":"aa","bytes":1}]'],
])("an index of %s is begun anew, and its files go, but nobody else's", async (_, text) => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, "config_history"));
  await writeFile(join(directory, "config_history/index.json"), text);
  await writeFile(join(directory, "config_history/20260101T000000000Z-aa.yaml"), "a: 1\n");
  await writeFile(join(directory, "config_history/notes.txt"), "somebody's own");
  await writeFile(join(directory, "persistent_state.yaml"), "instance_id: x\n");
  const kept = new KeptConfigs({ directory, clock: new ManualClock(), log: silentLogger });
  kept.ran(ran("a"));
  await kept.close();
  expect((await indexIn(directory)).map(({ digest }) => digest)).toEqual([digest("a")]);
  expect(await readdir(join(directory, "config_history"))).toEqual([expect.stringMatching(/Z-6100.*yaml$/), "index.json", "notes.txt"]);
  expect(await readdir(directory)).toContain("persistent_state.yaml");
});

test("a disk that cannot take it costs one warning and nothing else", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "config_history"), "in the way");
  const lines: Line[] = [];
  const kept = new KeptConfigs({ directory, clock: new ManualClock(), log: recordingLogger(lines) });
  kept.ran(ran("a"));
  kept.result(digest("a"), "failed", "x");
  kept.ran(ran("b"));
  await kept.close();
  expect(lines.map(({ level, message }) => [level, message])).toEqual([["warn", "Configurations that ran cannot be kept"]]);
});
