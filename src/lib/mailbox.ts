/**
 * The queue between the edges and the one loop. Edges post, the loop takes one at a time. The limit is far above what
 * a working supervisor queues: reaching it is a bug of ours, not a condition of the world.
 */
import { check } from "./check.js";

export const MAILBOX_LIMIT = 100_000;

export class Mailbox<T> {
  #queue: T[] = [];
  #head = 0;
  #wake: (() => void) | null = null;

  post(item: T): void {
    this.#queue.push(item);
    check(this.#queue.length - this.#head <= MAILBOX_LIMIT, "mailbox overflow");
    this.wake();
  }

  /** Ends a wait without posting anything: time has passed. */
  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }

  /** The oldest item, or undefined when there is none now. */
  take(): T | undefined {
    if (this.#head >= this.#queue.length) return undefined;
    const item = this.#queue[this.#head++];
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    return item;
  }

  /** Resolves when there is something to take, or at `wake`. One waiter at a time. */
  async arrival(): Promise<void> {
    if (this.#head < this.#queue.length) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
