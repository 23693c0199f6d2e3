/**
 * How often something that a server can ask for at will is granted: a burst at once, then one in each interval. Time is
 * an argument.
 */
import type { Millis } from "../core/values.js";

export class Allowance {
  readonly #burst: number;
  readonly #intervalMs: Millis;
  /** When everything that was granted is worked off. */
  #paidAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(burst: number, intervalMs: Millis) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
  }

  /** True: granted. */
  take(now: Millis): boolean {
    if (this.waitMs(now) > 0) return false;
    this.#paidAt = Math.max(this.#paidAt, now) + this.#intervalMs;
    return true;
  }

  /** How long until the next one is granted, 0 for now. */
  waitMs(now: Millis): Millis {
    return Math.max(0, this.#paidAt - (this.#burst - 1) * this.#intervalMs - now);
  }
}
