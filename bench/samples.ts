/** Medians of samples, and the limits that are made of them. */
import type { Finding, Samples, Unit } from "./row.js";

/** NaN where there is none. */
export function median(samples: Samples): number {
  const sorted = samples.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = sorted.length % 2 === 0 ? [sorted[middle - 1], sorted[middle]] : [sorted[middle], sorted[middle]];
  return low === high ? low : (low + high) / 2;
}

/** The limit "the bare process and so much more". */
export function atMostAbove(bare: Samples, what: string, more: number, unit: Unit): Finding["limit"] {
  const value = median(bare) + more;
  return { value, words: `${what} + ${more} ${unit} = ${value.toFixed(0)} ${unit}` };
}
