/**
 * How long to wait before the next connection. At once after the loss of a connection that was useful, else exponential
 * backoff with full jitter. Only usefulness resets it: a server that accepts and drops at once sees growing gaps.
 */
import type { Millis } from "../core/values.js";
import type { Logger } from "../lib/log.js";
import type { Failure } from "./ending.js";
import { BACKOFF_MS, BACKOFF_MS_MAX, RETRY_AFTER_MS_MAX, UNWELCOME_MS_MIN, USEFUL_MS_MIN } from "./limits.js";

/** The share of a delay that the server asked for which is added at random, so that a fleet does not return in step. */
const JITTER = 0.25;

export class Pacing {
  readonly #random: () => number;
  readonly #log: Logger;
  #failures = 0;

  constructor(random: () => number, log: Logger) {
    this.#random = random;
    this.#log = log;
  }

  /** @param usefulMs how long the connection lived if it was useful, null if it never answered. */
  pauseMs(failure: Failure, usefulMs: Millis | null): Millis {
    const useful = usefulMs !== null && usefulMs >= USEFUL_MS_MIN;
    if (useful) this.#failures = 0;
    switch (failure.is) {
      case "lost":
        return useful ? 0 : this.#backoffMs();
      case "unwelcome":
        return UNWELCOME_MS_MIN + this.#backoffMs();
      case "throttled":
        return failure.retryAfterMs === null ? UNWELCOME_MS_MIN + this.#backoffMs() : this.#askedMs(failure.retryAfterMs);
    }
  }

  #backoffMs(): Millis {
    const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return this.#random() * ceiling;
  }

  /** A delay of 0 is taken as the first pause: "now" from a busy server would be a loop at wire speed. */
  #askedMs(retryAfterMs: Millis): Millis {
    const capped = Math.min(retryAfterMs, RETRY_AFTER_MS_MAX);
    if (capped < retryAfterMs) {
      this.#log.warn("Server asks for a very long delay, capping it", { asked_ms: retryAfterMs, capped_ms: capped });
    }
    return Math.max(capped, BACKOFF_MS) * (1 + JITTER * this.#random());
  }
}
