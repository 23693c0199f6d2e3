/** The pauses before restarts: growing, capped, jittered downwards, and at last held. */
import { expect, test } from "vitest";
import { planRestart, restartDelayMs } from "../../src/core/restart.js";
import { NOW, processes } from "./state-of.js";

const digest = processes.starting.run.build.prepared.digest;

test.each([
  [0, 0, 0],
  [1, 1_000, 500],
  [2, 2_000, 1_000],
  [6, 32_000, 16_000],
  [7, 60_000, 30_000],
  [8, 60_000, 30_000],
  [9, 300_000, 150_000],
  [1_000, 300_000, 150_000],
])("after %i crashes: at most %i ms, at least %i ms", (crashes, most, least) => {
  expect(restartDelayMs(crashes, 0)).toBe(most);
  expect(restartDelayMs(crashes, 0.999_999)).toBeGreaterThanOrEqual(least);
  expect(restartDelayMs(crashes, 0.999_999)).toBeLessThanOrEqual(least + 1);
});

test.each([
  ["a stable run wipes the slate clean", 60_000, { restarts: { crashes: 1, crashed: [digest] }, restartAt: NOW, held: false }],
  ["a short one does not", 59_999, { restarts: { crashes: 6, crashed: ["other", digest] }, restartAt: NOW + 16_000, held: false }],
] as const)("%s", (_, ranMs, plan) => {
  const process = { ...processes.healthy, since: NOW - ranMs };
  expect(planRestart({ crashes: 5, crashed: ["other"] }, process, NOW, 0)).toEqual(plan);
});

test("the tenth crash in a row holds it", () => {
  expect(planRestart({ crashes: 8, crashed: [digest] }, processes.starting, NOW, 0).held).toBe(false);
  expect(planRestart({ crashes: 9, crashed: [digest] }, processes.starting, NOW, 0)).toEqual({ restarts: { crashes: 10, crashed: [digest] }, restartAt: NOW + 300_000, held: true });
});
