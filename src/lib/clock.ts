/**
 * Time is an argument: this is the only file that reads a clock or sets a timer. Everything else is given a `Clock`,
 * so that a test can drive time by hand.
 */

/** Milliseconds. As a point in time: monotonic, from an arbitrary origin, never the wall clock. */
export type Millis = number;

export interface Clock {
  /** Monotonic milliseconds, for every duration and deadline. */
  now(): Millis;
  /** Wall clock in nanoseconds since the Unix epoch, only for values that people or servers read. */
  unixNano(): bigint;
  /** Calls `run` once after `delayMs` (clamped to what timers can hold); the returned function cancels it. */
  after(delayMs: Millis, run: () => void): () => void;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted first. */
  sleep(delayMs: Millis, signal?: AbortSignal): Promise<void>;
}

/** Timers of Node hold 31 bits; a longer delay would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  unixNano: () => BigInt(Date.now()) * 1_000_000n,
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    return () => {
      clearTimeout(timer);
    };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = systemClock.after(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};

/** The wall clock as ISO 8601, for records that people read. */
export function isoTime(clock: Clock): string {
  return new Date(Number(clock.unixNano() / 1_000_000n)).toISOString();
}
