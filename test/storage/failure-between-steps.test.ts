/** Every single operation on the disk fails once, or is the last one before the power goes: the next start finds old or new. */
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { failingFileSystem } from "./failing-file-system.js";
import { NEW_UID, NO_TRIAL, openStore, OTHER_UID, plain, provenOf, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const A = remoteConfig("aa", { "": "a: 1\n" });
const B = remoteConfig("bb", { "": "b: 1\n" });
/** Other content under the hash of A: some servers send no hash, or the same one for ever. */
const A2 = remoteConfig("aa", { "": "a: 2\n" });

const APPLIED_A: Memory = {
  instanceUid: NEW_UID,
  ...NO_TRIAL,
  lastReceived: A,
  lastWorking: A,
  status: { is: "applied", hash: "aa", error: "" },
  proven: provenOf("01", "x"),
};
const FAILED_A: Memory = { ...APPLIED_A, lastWorking: null, status: { is: "failed", hash: "aa", error: "why" }, proven: null };
const TRYING_B: Memory = { ...APPLIED_A, lastReceived: B, status: { is: "applying", hash: "bb", error: "" } };

const STEPS: readonly (readonly [string, Memory, Memory])[] = [
  ["an offer arrives", APPLIED_A, TRYING_B],
  ["an offer arrives under the hash of the one before", APPLIED_A, { ...TRYING_B, lastReceived: A2, status: { is: "applying", hash: "aa", error: "" } }],
  ["an offer arrives after one that failed", FAILED_A, { ...FAILED_A, lastReceived: B, status: { is: "applying", hash: "bb", error: "" } }],
  ["the trial works", TRYING_B, { ...TRYING_B, lastWorking: B, status: { is: "applied", hash: "bb", error: "" }, proven: provenOf("02", "x") }],
  ["the trial fails", TRYING_B, { ...TRYING_B, status: { is: "failed", hash: "bb", error: "no" } }],
  ["an offer is refused at once", APPLIED_A, { ...TRYING_B, status: { is: "failed", hash: "bb", error: "no" } }],
  ["the identity changes", FAILED_A, { ...FAILED_A, instanceUid: OTHER_UID }],
];

function show({ instanceUid, lastReceived, lastWorking, status, proven }: Memory): string {
  return JSON.stringify({ instanceUid, ...NO_TRIAL, lastReceived: plain(lastReceived), lastWorking: plain(lastWorking), status, proven });
}

/** What may be found: each part old or new, a status only with the configuration that it is about, or that one on trial. */
function isDefined(found: Memory, old: Memory, next: Memory): boolean {
  const whole = [old, next].some((memory) => show(memory) === show(found));
  const parts = [old, next].some((memory) => show({ ...found, lastReceived: memory.lastReceived }) === show(found));
  const onTrial = found.status?.is === "applying" && found.status.hash === found.lastReceived?.hash;
  return whole || (parts && (onTrial || [old, next].some((memory) => about(memory) === about(found))));
}

function about({ lastReceived, status }: Memory): string {
  return JSON.stringify([plain(lastReceived), status]);
}

async function prepared(old: Memory): Promise<string> {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  await store.save(old);
  await store.close();
  return directory;
}

async function operationsOf(old: Memory, next: Memory): Promise<number> {
  const fileSystem = failingFileSystem();
  const { store } = await openStore(await prepared(old), { fileSystem });
  await store.load();
  fileSystem.arm(0, "dies");
  await store.save(next);
  await store.close();
  return fileSystem.count();
}

describe.each(STEPS)("%s", (_, old, next) => {
  test("an operation fails: the old files stay or the new ones are there, and the next save works", async () => {
    const operations = await operationsOf(old, next);
    expect(operations).toBeGreaterThanOrEqual(8);
    for (let failAt = 1; failAt <= operations; failAt++) {
      const directory = await prepared(old);
      const fileSystem = failingFileSystem();
      const { store } = await openStore(directory, { fileSystem });
      await store.load();
      fileSystem.arm(failAt, "fails-once");
      await expect(store.save(next), `operation ${failAt}`).rejects.toMatchObject({ code: "storage" });
      const names = (await readdir(directory)).filter((name) => name.endsWith(".tmp"));
      expect(names, `operation ${failAt}`).toEqual([]);
      const copy = await temporaryDirectory();
      await cp(directory, copy, { recursive: true });
      await rm(join(copy, "supervisor.lock"));
      const { memory, lines } = await reload(copy);
      expect(isDefined(memory, old, next), `operation ${failAt}: ${show(memory)}`).toBe(true);
      expect(lines).toEqual([]);
      await store.save(next);
      await store.close();
      expect(show((await reload(directory)).memory)).toBe(show(next));
    }
  });

  test("the process dies at an operation: the same, and its temporary files are swept", async () => {
    const operations = await operationsOf(old, next);
    for (let failAt = 1; failAt <= operations; failAt++) {
      const directory = await prepared(old);
      const fileSystem = failingFileSystem();
      const { store } = await openStore(directory, { fileSystem });
      await store.load();
      fileSystem.arm(failAt, "dies");
      await store.save(next).catch(() => undefined);
      await store.close();
      const { memory, lines } = await reload(directory);
      expect(isDefined(memory, old, next), `operation ${failAt}: ${show(memory)}`).toBe(true);
      expect([old.instanceUid, next.instanceUid]).toContain(memory.instanceUid);
      expect(lines).toEqual([]);
      expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([]);
    }
  });

  test("a crash keeps any subset of the renames: no status is read into another configuration", async () => {
    const [before, after] = [await prepared(old), await prepared(old)];
    const { store } = await openStore(after);
    await store.load();
    await store.save(next);
    await store.close();
    const names = (await readdir(after)).sort();
    for (let subset = 0; subset < 2 ** names.length; subset++) {
      const directory = await temporaryDirectory();
      await cp(before, directory, { recursive: true });
      for (const [index, name] of names.entries()) if ((subset >> index) & 1) await cp(join(after, name), join(directory, name));
      const { memory } = await reload(directory);
      expect([old.instanceUid, next.instanceUid]).toContain(memory.instanceUid);
      const settled = memory.status !== null && memory.status.is !== "applying";
      if (settled) expect([about(old), about(next)], `subset ${subset}`).toContain(about(memory));
    }
  });
});

test("many failed saves in a row, then a death, leave the identity and a defined state", async () => {
  const directory = await prepared(APPLIED_A);
  const fileSystem = failingFileSystem();
  const { store } = await openStore(directory, { fileSystem });
  await store.load();
  for (let number = 0; number < 30; number++) {
    fileSystem.arm(1, "fails-once");
    const hash = number.toString(16).padStart(2, "0");
    const offer = remoteConfig(hash, { "": `n: ${number}\n` });
    await expect(store.save({ ...TRYING_B, lastReceived: offer, status: { is: "applying", hash, error: "" } })).rejects.toThrow();
  }
  await store.close();
  expect(show((await reload(directory)).memory)).toBe(show(APPLIED_A));
});
