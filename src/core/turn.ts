/** What the loop gives to each turn: the core has neither a clock nor chance of its own. */
import type { Millis } from "./values.js";

export interface Turn {
  /** Monotonic, read once for the whole turn. */
  readonly now: Millis;
  /** In [0, 1). */
  readonly random: number;
  /** ISO 8601 by the wall clock, for records that people read: nothing is decided by it. */
  readonly at: string;
}
