/**
 * The real core and loop against a simulated world, one seed a course of events. `SEED=n` replays one and prints its
 * trace; `SEEDS=n` runs another number than the default.
 */
import { expect, test } from "vitest";
import { runSeeds, traceSeed } from "./seeds.js";

const SEEDS = Number(process.env["SEEDS"] ?? 20_000);
const only = process.env["SEED"];

test("every seed is safe and comes to rest", { timeout: 3_600_000 }, async () => {
  if (only !== undefined) return replay(Number(only));
  const { histogram } = await runSeeds(1, SEEDS);
  console.log(`seeds with each kind of fault, of ${SEEDS}: ${[...histogram].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  expect(histogram.size).toBe(28);
  for (const [kind, count] of histogram) expect(count / SEEDS, kind).toBeGreaterThan(0.05);
});

async function replay(seed: number): Promise<void> {
  console.log(await traceSeed(seed));
  await runSeeds(seed, seed);
}
