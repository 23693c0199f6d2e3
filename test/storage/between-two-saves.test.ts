/** Wherever a save was cut short: what belongs together is read as it was before it, or as it was to be. */
import { expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { failingFileSystem } from "./failing-file-system.js";
import { NEW_UID, NO_TRIAL, openStore, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const G = remoteConfig("99", { "": "good" });
const B = remoteConfig("bb", { "": "B" });
const TRIAL = { of: "offer", hash: "bb", digest: "0b", executable: "/otelcol:1", lives: 1 } as const;
const APPLIED: Memory = { ...NO_TRIAL, instanceUid: NEW_UID, lastReceived: B, lastWorking: G, status: { is: "applied", hash: "bb", error: "" }, trials: [TRIAL], proven: null };
const FAILED: Memory = {
  ...APPLIED,
  status: { is: "failed", hash: "bb", error: "3 crashes", wasTried: true },
  trials: [],
  failures: [{ digest: "0b", executable: "/otelcol:1", hash: "bb", reason: "3 crashes", version: "", at: "", isDeadly: false }],
};
const BLAMELESS: Memory = { ...APPLIED, status: { is: "failed", hash: "bb", error: "no space left on device" }, isTriedAgain: true, trials: [] };
const AGAIN: Memory = { ...APPLIED, status: { is: "applying", hash: "bb", error: "" } };

const together = ({ failures, isTriedAgain, status, trials }: Memory): Partial<Memory> => ({ failures, isTriedAgain, status, trials });

test.each([
  ["a probation fails", APPLIED, FAILED],
  ["what failed is tried again", BLAMELESS, AGAIN],
  ["it is applied", AGAIN, APPLIED],
])("killed at each operation of the save when %s", async (_, before, after) => {
  const fileSystem = failingFileSystem();
  let deaths = 0;
  for (let failAt = 1; ; failAt++) {
    const directory = await temporaryDirectory();
    const first = await openStore(directory);
    await first.store.load();
    await first.store.save(before);
    await first.store.close();
    const { store } = await openStore(directory, { fileSystem });
    await store.load();
    fileSystem.arm(failAt, "dies");
    await store.save(after).catch(() => undefined);
    const isOver = fileSystem.count() < failAt;
    await store.close();
    if (isOver) break;
    deaths++;
    const { memory } = await reload(directory);
    expect([together(before), together(after)], `operation ${failAt}`).toContainEqual(together(memory));
  }
  expect(deaths).toBeGreaterThan(6);
});
