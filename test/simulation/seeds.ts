/** Runs seeds one after the other; rejects with the first seed that is unsafe or does not come to rest. */
import { World } from "./world.js";

export interface SeedsResult {
  /** In how many seeds each kind of fault happened. */
  readonly histogram: ReadonlyMap<string, number>;
}

const TRACE_LINES_MAX = 120;

export async function runSeeds(first: number, last: number): Promise<SeedsResult> {
  const histogram = new Map<string, number>();
  for (let seed = first; seed <= last; seed++) {
    const world = new World(seed);
    try {
      await world.run();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed}: ${reason}\n${world.trace.slice(-TRACE_LINES_MAX).join("\n")}`, { cause: error });
    }
    for (const kind of world.faults.keys()) histogram.set(kind, (histogram.get(kind) ?? 0) + 1);
  }
  return { histogram };
}

/** One seed with its whole trace. */
export async function traceSeed(seed: number): Promise<string> {
  const world = new World(seed);
  try {
    await world.run();
  } catch (error) {
    return `${world.trace.join("\n")}\n${error instanceof Error ? error.message : String(error)}`;
  }
  return world.trace.join("\n");
}
