/**
 * A conversation over plain HTTP: one request at a time, and a poll when there is nothing to say. What was not answered
 * was not told. It ends with the first exchange that fails; the client comes back when it is time.
 */
import type { Millis } from "../core/values.js";
import { SupervisorError } from "../lib/error.js";
import { credentialHeaders, redirect, type Conversation, type Hop, type Peer } from "./conversation.js";
import { endingOfStatus, type Ending, type Failure } from "./ending.js";
import { Line, type Answer, type PostFailure } from "./http-post.js";
import { CLOSE_MS_MAX, EXCHANGE_MS_MAX, HEARTBEAT_MS, REDIRECTS_MAX, REPLY_MS_MAX, SLOW_LINK_BYTES_PER_MS } from "./limits.js";
import type { Draft } from "./outgoing.js";
import { parseRetryAfter } from "./retry-after.js";
import type { Act } from "./session.js";
import { Timers } from "./timers.js";
import { whereOf } from "./where.js";

const TOO_LARGE = 413;
/** The content is at fault, not the server (AMB-10). */
const CONTENT_REFUSED: readonly number[] = [400, 415, 422];
/** The server did not look at the message, so what it knows is what it knew. */
const NOT_LOOKED_AT: readonly number[] = [401, 403, 404, 408, 429, 503];
const REASON_CHARS_MAX = 200;

export class HttpConversation implements Conversation {
  readonly ended: Promise<Ending>;
  readonly #peer: Peer;
  readonly #line: Line;
  readonly #lifetime = new AbortController();
  readonly #timers: Timers<"poll" | "held-back" | "reply" | "exchange" | "close">;
  #resolve: (ending: Ending) => void = () => undefined;
  #wake: () => void = () => undefined;
  #pollDue = false;
  #leaving = false;
  #useful = false;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.#timers = new Timers(peer.clock);
    this.#line = new Line({ url: peer.endpoint, trusted: true }, peer.route);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  start(): this {
    this.#peer.session.connected(this.#peer.endpoint.href);
    this.#restartPoll();
    void this.#run().then((ending) => {
      this.#timers.clear();
      this.#line.close();
      this.#resolve(ending);
    });
    return this;
  }

  wake(): void {
    this.#wake();
  }

  /** An exchange that is under way may end first: there is one request at a time (TR-HTTP-02). */
  leave(budgetMs: Millis): void {
    if (this.#leaving) return;
    this.#leaving = true;
    // Nobody has answered so far, so nobody is waiting for a last word.
    if (!this.#useful) this.#lifetime.abort(new SupervisorError("aborted", "closed before the server answered"));
    this.#timers.set("close", Math.min(budgetMs, CLOSE_MS_MAX), () => {
      this.#lifetime.abort(new SupervisorError("aborted", "no time left for the answer"));
    });
    this.#wake();
  }

  async #run(): Promise<Ending> {
    const { clock, session } = this.#peer;
    while (!this.#isLeaving()) {
      const draft = session.next(clock.now()) ?? (this.#pollDue ? session.heartbeat() : null);
      if (this.#pollDue || draft !== null) this.#restartPoll();
      if (draft === null) {
        await this.#somethingToDo();
        continue;
      }
      const failure = await this.#exchange(draft);
      if (failure !== null) return this.#isLeaving() ? { is: "closed" } : failure;
    }
    return this.#goodbye();
  }

  /** Asked anew after each wait: it changes meanwhile. */
  #isLeaving(): boolean {
    return this.#leaving;
  }

  /** The word that the agent goes is said once, not repeated (DC-05, AMB-94). */
  async #goodbye(): Promise<Ending> {
    const draft = this.#useful ? this.#peer.session.disconnect() : null;
    if (draft !== null && !this.#lifetime.signal.aborted) {
      const answer = await this.#post(draft, this.#lifetime.signal);
      if ("error" in answer) this.#peer.log.debug("Last message was not answered", { error: answer.error });
    }
    return { is: "closed" };
  }

  #somethingToDo(): Promise<void> {
    const { clock, session } = this.#peer;
    const heldBackMs = session.heldBackMs(clock.now());
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (heldBackMs !== null) this.#timers.set("held-back", heldBackMs, resolve);
    });
  }

  /** Counted from the last message of any kind; polling goes on without heartbeats (TR-HTTP-04). */
  #restartPoll(): void {
    this.#pollDue = false;
    this.#timers.set("poll", this.#peer.heartbeatMs ?? HEARTBEAT_MS, () => {
      this.#pollDue = true;
      this.#wake();
    });
  }

  /** Null: the conversation goes on. */
  async #exchange(draft: Draft): Promise<Failure | null> {
    const { session } = this.#peer;
    const answer = await this.#post(draft, this.#lifetime.signal);
    if ("error" in answer) {
      session.notSent(draft, answer.seen ? "unknown" : "unsent");
      return { is: "lost", error: answer.error };
    }
    if (answer.status === 200) return this.#answered(draft, answer.body);
    return this.#declined(draft, answer);
  }

  #answered(draft: Draft, body: Uint8Array): Failure | null {
    const { endpoint, session, onEvents, onUseful } = this.#peer;
    session.sent(draft);
    const { events, act } = session.received(body);
    if (session.useful && !this.#useful) {
      this.#useful = true;
      onUseful();
    }
    if (events.length > 0) onEvents(events);
    return failureOf(act, whereOf(endpoint));
  }

  #declined(draft: Draft, answer: Answer): Failure | null {
    const { clock, endpoint, session } = this.#peer;
    const { status } = answer;
    const contentRefused = CONTENT_REFUSED.includes(status);
    const known = contentRefused || status === TOO_LARGE || NOT_LOOKED_AT.includes(status);
    session.notSent(draft, known ? "declined" : "unknown");
    const what = `${whereOf(endpoint)}: ${reasonOf(answer)}`;
    if (status === TOO_LARGE) session.tooLarge(draft, `${what} (HTTP 413)`);
    if (contentRefused) session.refused(draft, `${what} (HTTP ${status})`);
    if (status === TOO_LARGE || contentRefused) return null;
    const retryAfterMs = parseRetryAfter(answer.retryAfter, Number(clock.unixNano() / 1_000_000n));
    return endingOfStatus(status, retryAfterMs, what);
  }

  async #post(draft: Draft, lifetime: AbortSignal): Promise<Answer | PostFailure> {
    const { endpoint } = this.#peer;
    const exchange = new AbortController();
    const signal = AbortSignal.any([lifetime, exchange.signal]);
    const slowMs = draft.bytes.length / SLOW_LINK_BYTES_PER_MS;
    const expect = (delayMs: Millis): void => {
      this.#timers.set("reply", delayMs, () => {
        exchange.abort(new SupervisorError("server", `${whereOf(endpoint)}: the server has not answered for ${Math.round(delayMs / 1000)} s`));
      });
    };
    expect(REPLY_MS_MAX + slowMs);
    this.#timers.set("exchange", EXCHANGE_MS_MAX + slowMs, () => {
      exchange.abort(new SupervisorError("server", `${whereOf(endpoint)}: the answer does not come to an end`));
    });
    const answer = await this.#follow(draft, signal, () => expect(REPLY_MS_MAX));
    this.#timers.cancel("reply");
    this.#timers.cancel("exchange");
    return answer;
  }

  /** Redirects are followed for this one message, and only those that keep the method (AMB-08). */
  async #follow(draft: Draft, signal: AbortSignal, onProgress: () => void): Promise<Answer | PostFailure> {
    const { endpoint, limits, route } = this.#peer;
    let hop: Hop = { url: endpoint, trusted: true };
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      const line = hops === 0 ? this.#line : new Line(hop, route);
      const credentials = hop.trusted ? credentialHeaders(this.#peer) : {};
      const headers = { ...credentials, "opamp-instance-uid": draft.instanceUid };
      const answer = await line.post({ hop, headers, body: draft.bytes, answerBytesMax: limits.receiveBytesMax, signal, onProgress });
      if (line !== this.#line) line.close();
      if ("error" in answer || answer.status < 300 || answer.status >= 400) return answer;
      const next = keepsMethod(answer.status) ? redirect(hop, answer.location, endpoint) : LOSES_METHOD;
      if (typeof next === "string") return { error: `${whereOf(hop.url)}: ${next} (HTTP ${answer.status})`, seen: false };
      hop = next;
    }
    return { error: `${whereOf(endpoint)}: the server redirects more than ${REDIRECTS_MAX} times`, seen: false };
  }
}

const LOSES_METHOD = "the server redirects in a way that would lose the message; it has to use 307 or 308, or put the new address into server.endpoint";

function keepsMethod(status: number): boolean {
  return status === 307 || status === 308;
}

function failureOf(act: Act, where: string): Failure | null {
  switch (act.do) {
    case "go-on":
      return null;
    case "leave":
      return { is: "throttled", error: act.because, retryAfterMs: act.retryAfterMs };
    case "skip":
    case "give-up":
      return { is: "lost", error: `${where}: the answer is no OpAMP message (${act.because})` };
  }
}

/** What the server says of it, in one line. */
function reasonOf({ body }: Answer): string {
  const text = Buffer.from(body.subarray(0, 4 * REASON_CHARS_MAX)).toString("utf8");
  const line = text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ").trim().slice(0, REASON_CHARS_MAX);
  return line === "" || line.startsWith("<") ? "the server refused the message" : line;
}
