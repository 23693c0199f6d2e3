/**
 * `probation_remote_config.dat` comes before the state that needs it and goes after the state that does not. A death in
 * between leaves one that nothing speaks of any more: it must not be brought back in place of what was applied since.
 */
import { existsSync } from "node:fs";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { failingFileSystem } from "./failing-file-system.js";
import { NEW_UID, NO_TRIAL, openStore, OTHER_UID, plain, provenOf, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const FILE = "probation_remote_config.dat";
const G = remoteConfig("99", { "": "g: 1\n" });
const A = remoteConfig("aa", { "": "a: 1\n" });
const B = remoteConfig("bb", { "": "b: 1\n" });
const C = remoteConfig("cc", { "": "c: 1\n" });

const PROBATION_OF_A: Memory = {
  instanceUid: NEW_UID,
  ...NO_TRIAL,
  lastReceived: A,
  lastWorking: G,
  status: { is: "applied", hash: "aa", error: "" },
  trials: [{ of: "offer", hash: "aa", digest: "", executable: "", lives: 1 }],
  proven: provenOf("01", "x"),
};
const TRYING_B: Memory = {
  ...PROBATION_OF_A,
  lastReceived: B,
  status: { is: "applying", hash: "bb", error: "" },
  onProbation: A,
  trials: [{ of: "offer", hash: "bb", digest: "", executable: "", lives: 1 }],
};
const FAILED_B: Memory = { ...TRYING_B, status: { is: "failed", hash: "bb", error: "why" }, trials: [{ of: "offer", hash: "aa", digest: "", executable: "", lives: 1 }] };
const APPLIED_B: Memory = { ...TRYING_B, status: { is: "applied", hash: "bb", error: "" }, onProbation: null };

const STEPS: readonly (readonly [string, Memory, Memory])[] = [
  ["a newer offer comes during the probation", PROBATION_OF_A, TRYING_B],
  ["the newer one fails", TRYING_B, FAILED_B],
  ["the newer one is applied", TRYING_B, APPLIED_B],
  ["the newer one is what was good before, so it has no probation", TRYING_B, { ...APPLIED_B, lastWorking: B, trials: [] }],
  ["the first one is good after all", FAILED_B, { ...FAILED_B, onProbation: null, trials: [], lastWorking: A, proven: provenOf("02", "x") }],
  ["one more comes", FAILED_B, { ...FAILED_B, lastReceived: C, status: { is: "applying", hash: "cc", error: "" }, trials: [{ of: "offer", hash: "cc", digest: "", executable: "", lives: 1 }] }],
];

async function prepared(memory: Memory): Promise<string> {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  await store.save(memory);
  await store.close();
  return directory;
}

/** What decides which configuration is brought back. */
function course({ lastReceived, onProbation, status }: Memory): string {
  return JSON.stringify({ lastReceived: plain(lastReceived), onProbation: plain(onProbation), status });
}

describe.each(STEPS)("%s", (_, old, next) => {
  test("a death at any operation leaves the one before or the one after", async () => {
    // An offer that arrived just before counts, also where the state does not speak of it yet.
    const arrived: Memory = { ...next, status: { is: "applying", hash: next.lastReceived?.hash ?? "", error: "" } };
    const fileSystem = failingFileSystem();
    let isOver = false;
    let deaths = 0;
    for (let failAt = 1; !isOver; failAt++) {
      const directory = await prepared(old);
      const { store } = await openStore(directory, { fileSystem });
      await store.load();
      fileSystem.arm(failAt, "dies");
      await store.save(next).catch(() => undefined);
      isOver = fileSystem.count() < failAt;
      deaths += isOver ? 0 : 1;
      await store.close();
      const { lines, memory } = await reload(directory);
      expect([old, arrived, next].map(course), `operation ${failAt}`).toContain(course(memory));
      expect(lines).toEqual([]);
      expect((await readdir(directory)).includes(FILE), `operation ${failAt}`).toBe(memory.onProbation !== null);
    }
    expect(deaths).toBeGreaterThanOrEqual(4);
  });

  test("a crash keeps any subset of the changes: none is brought back that a settled state does not go with", async () => {
    const [before, after] = [await prepared(old), await prepared(old)];
    const { store } = await openStore(after);
    await store.load();
    await store.save(next);
    await store.close();
    const names = [...new Set([...(await readdir(before)), ...(await readdir(after))])].sort();
    const pairs = [old, next].map(({ onProbation, status }) => JSON.stringify([plain(onProbation), status]));
    for (let subset = 0; subset < 2 ** names.length; subset++) {
      const directory = await temporaryDirectory();
      for (const [index, name] of names.entries()) {
        const from = join((subset >> index) & 1 ? after : before, name);
        if (existsSync(from)) await cp(from, join(directory, name));
      }
      const { onProbation, status } = (await reload(directory)).memory;
      if (onProbation !== null && status?.is !== "applying") expect(pairs, `subset ${subset}`).toContain(JSON.stringify([plain(onProbation), status]));
    }
    expect(names.length).toBeGreaterThanOrEqual(5);
  });
});

test("a state of an earlier release, which does not name it, still brings it back", async () => {
  const directory = await prepared(TRYING_B);
  const path = join(directory, "opampsupervisor_state.json");
  const text = await readFile(path, "utf8");
  const earlier = text.replaceAll(/,\s*"onProbation": "[0-9a-f]*"/g, "");
  expect(earlier).not.toBe(text);
  await writeFile(path, earlier);
  expect(course((await reload(directory)).memory)).toBe(course(TRYING_B));
});

test("it is kept through a life that accepts no remote configuration", async () => {
  const directory = await prepared(FAILED_B);
  const { store } = await openStore(directory, { acceptsRemoteConfig: false });
  const { memory } = await store.load();
  await store.save({ ...memory, instanceUid: OTHER_UID });
  await store.close();
  expect(course((await reload(directory)).memory)).toBe(course(FAILED_B));
});
