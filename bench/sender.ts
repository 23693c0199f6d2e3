/**
 * An OTLP/HTTP sender that never pauses: one small POST after the other, and how long the longest stretch was in which
 * none was accepted, from the beginning of the first refused one to the end of the next accepted one.
 */
import { Agent, request } from "node:http";
import { systemClock, type Millis } from "../src/lib/clock.js";

export interface Sent {
  readonly accepted: number;
  readonly refused: number;
  readonly longestRefusedMs: Millis;
}

const PAUSE_MS = 1;
/** A port that stays closed for so long is not waited for. */
const REFUSED_MS_MAX = 60_000;
const BODY = '{"resourceSpans":[]}';

export class Sender {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #finished: Promise<void>;
  #stopping = false;
  #accepted = 0;
  #refused = 0;
  #refusedSinceMs: Millis | null = null;
  #longestRefusedMs = 0;

  constructor(port: number) {
    this.#port = port;
    this.#finished = this.#run();
    // Whoever stops it hears of it.
    this.#finished.catch(() => undefined);
  }

  /** Stops only after a POST was accepted, so that no window stays open; rejects when none is for long. */
  async stop(): Promise<Sent> {
    this.#stopping = true;
    await this.#finished;
    this.#agent.destroy();
    return { accepted: this.#accepted, refused: this.#refused, longestRefusedMs: this.#longestRefusedMs };
  }

  async #run(): Promise<void> {
    while (!this.#stopping || this.#refusedSinceMs !== null || this.#accepted === 0) {
      const startedAt = systemClock.now();
      if (await this.#isAccepted()) this.#onAccepted();
      else {
        this.#refused++;
        this.#refusedSinceMs ??= startedAt;
      }
      if (systemClock.now() - (this.#refusedSinceMs ?? Infinity) > REFUSED_MS_MAX) throw new Error("the Collector accepts no POST any more");
      await systemClock.sleep(PAUSE_MS);
    }
  }

  #onAccepted(): void {
    this.#accepted++;
    if (this.#refusedSinceMs === null) return;
    this.#longestRefusedMs = Math.max(this.#longestRefusedMs, systemClock.now() - this.#refusedSinceMs);
    this.#refusedSinceMs = null;
  }

  #isAccepted(): Promise<boolean> {
    return new Promise((resolve) => {
      const headers = { "content-type": "application/json", "content-length": BODY.length };
      const post = request({ host: "127.0.0.1", port: this.#port, path: "/v1/traces", method: "POST", agent: this.#agent, headers }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode === 200));
        response.once("error", () => resolve(false));
      });
      post.once("error", () => resolve(false));
      post.end(BODY);
    });
  }
}
