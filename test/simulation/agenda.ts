/** Simulated time: what happens next, in order. The clock that the loop is given reads it. */
import type { Clock } from "../../src/lib/clock.js";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Agenda {
  #now = 0;
  #order = 0;
  readonly #entries: Entry[] = [];

  get now(): number {
    return this.#now;
  }

  at(delayMs: number, run: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#entries.push(entry);
    return () => {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) this.#entries.splice(index, 1);
    };
  }

  /** Takes the next entry that is due by `end` and moves time to it; false when there is none. */
  advance(end: number): boolean {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at <= end && (best === undefined || entry.at < best.at || (entry.at === best.at && entry.order < best.order))) best = entry;
    }
    if (best === undefined) {
      this.#now = end;
      return false;
    }
    this.#entries.splice(this.#entries.indexOf(best), 1);
    this.#now = best.at;
    best.run();
    return true;
  }

  clock(): Clock {
    return {
      now: () => this.#now,
      unixNano: () => BigInt(Math.floor(this.#now)) * 1_000_000n,
      after: (delayMs, run) => this.at(delayMs, run),
      sleep: () => Promise.reject(new Error("the loop does not sleep by itself")),
    };
  }
}
