/** Timers by name: setting one replaces it, and at the end all of them are gone. */
import type { Millis } from "../core/values.js";
import type { Clock } from "../lib/clock.js";

export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #cancels = new Map<Name, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(name: Name): boolean {
    return this.#cancels.has(name);
  }

  set(name: Name, delayMs: Millis, run: () => void): void {
    this.cancel(name);
    const cancel = this.#clock.after(delayMs, () => {
      this.#cancels.delete(name);
      run();
    });
    this.#cancels.set(name, cancel);
  }

  cancel(name: Name): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  clear(): void {
    for (const name of [...this.#cancels.keys()]) this.cancel(name);
  }
}
