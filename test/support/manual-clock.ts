/** A clock that stands still until a test moves it. Timers run in the order of their times, those of one time in the order of their making. */
import type { Clock, Millis } from "../../src/lib/clock.js";

interface Timer {
  readonly at: Millis;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: Millis;
  #unixNano: bigint;

  constructor(now: Millis = 1_000, unixNano = 1_700_000_000_000_000_000n) {
    this.#now = now;
    this.#unixNano = unixNano;
  }

  now(): Millis {
    return this.#now;
  }

  unixNano(): bigint {
    return this.#unixNano;
  }

  after(delayMs: Millis, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  sleep(delayMs: Millis, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets this much time pass; timers that are set on the way run too if they fall into it. */
  advance(ms: Millis): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== null && next.at <= until; next = this.#next()) {
      this.#timers.delete(next);
      this.#move(Math.max(next.at, this.#now));
      next.run();
    }
    this.#move(until);
  }

  /** How long until each timer fires, soonest first. */
  get pending(): readonly Millis[] {
    return [...this.#timers].map((timer) => timer.at - this.#now).sort((one, other) => one - other);
  }

  #next(): Timer | null {
    let soonest: Timer | null = null;
    for (const timer of this.#timers) if (soonest === null || timer.at < soonest.at) soonest = timer;
    return soonest;
  }

  #move(to: Millis): void {
    this.#unixNano += BigInt(Math.round((to - this.#now) * 1_000_000));
    this.#now = to;
  }
}
