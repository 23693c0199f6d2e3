/**
 * Takes the samples of all contenders in turn (A B C A B C), so that whatever else happens on the machine happens to all
 * of them. A sample that does not come in time counts as infinite: a median forgives it once, and never hides it.
 */
import type { Bench, Samples } from "./row.js";

/** Several figures of one sample, by name. */
export type Sample = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  readonly take: () => Promise<Sample>;
}

export interface Series {
  /** Empty for a contender that did not take part. */
  of(contender: string, figure: string): Samples;
}

export async function alternate(bench: Bench, contenders: readonly Contender[]): Promise<Series> {
  const taken = new Map<string, (Sample | null)[]>(contenders.map(({ name }) => [name, []]));
  for (let run = 1; run <= bench.runs; run++) {
    for (const { name, take } of contenders) {
      let sample: Sample | null = null;
      try {
        sample = await take();
      } catch (error) {
        bench.note(`${name}, run ${run}: ${error instanceof Error ? error.message : String(error)}`);
      }
      taken.get(name)?.push(sample);
    }
  }
  return { of: (contender, figure) => (taken.get(contender) ?? []).map((sample) => sample?.[figure] ?? Infinity) };
}
