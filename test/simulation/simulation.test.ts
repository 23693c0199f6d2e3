/**
 * The real core and loop against a simulated world, one seed a course of events. `SEED=n` replays one and prints its
 * trace; `SEEDS=n` runs more than the default.
 */
import { expect, test } from "vitest";
import { World } from "./world.js";

const SEEDS = Number(process.env["SEEDS"] ?? 20_000);
const only = process.env["SEED"];

test("every seed is safe and comes to rest", { timeout: 600_000 }, async () => {
  const histogram = new Map<string, number>();
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(only)];
  for (const seed of seeds) {
    const world = new World(seed);
    try {
      await world.run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n${world.trace.slice(-120).join("\n")}`, { cause: error });
    }
    for (const kind of world.faults.keys()) histogram.set(kind, (histogram.get(kind) ?? 0) + 1);
    if (only !== undefined) console.log(world.trace.join("\n"));
  }
  if (only !== undefined) return;
  console.log(`seeds with each kind of fault, of ${seeds.length}: ${[...histogram].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  for (const [kind, count] of histogram) expect(count / seeds.length, kind).toBeGreaterThan(0.05);
});
