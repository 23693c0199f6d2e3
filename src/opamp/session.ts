/**
 * The protocol without IO: no timer, no socket, no clock. One session serves all connections of a supervisor's life. It
 * holds the newest report and what the server was told on this connection; a message is the difference. Who sends it
 * says afterwards whether it left, and only then it counts as told. Nothing that a server sends can make it throw.
 */
import { fromBinary } from "@bufbuild/protobuf";
import type { Event } from "../core/event.js";
import type { Report } from "../core/report.js";
import type { Millis } from "../core/values.js";
import { ServerErrorResponseType, ServerToAgentSchema, type ServerErrorResponse, type ServerToAgent } from "../gen/opamp/v1/opamp_pb.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { hostFacts, type HostFacts } from "./description.js";
import { MALFORMED_MAX } from "./limits.js";
import { Outgoing, type Draft } from "./outgoing.js";
import { readServerMessage } from "./server-message.js";
import { uidFromBytes } from "./uid.js";

/** What the connection has to do after a message. */
export type Act =
  | { readonly do: "go-on" }
  /** It was no message and is dropped. */
  | { readonly do: "skip"; readonly because: string }
  /** The server is unavailable: disconnect, wait, come back (TH-01). Null: it named no delay. */
  | { readonly do: "leave"; readonly retryAfterMs: Millis | null; readonly because: string }
  /** It does not speak the protocol: close and come back later (AMB-01). */
  | { readonly do: "give-up"; readonly because: string };

export interface Received {
  readonly events: readonly Event[];
  readonly act: Act;
}

export interface SessionOptions {
  readonly log: Logger;
  readonly sendBytesMax: number;
  readonly host?: () => HostFacts;
}

const NANOSECONDS_PER_MS = 1_000_000n;
const GO_ON: Act = { do: "go-on" };

export class Session {
  readonly #log: Logger;
  readonly #outgoing: Outgoing;
  readonly #warned = new Set<string>();
  #malformed = 0;
  #useful = false;
  /** The uid before the last change, and how many more messages may still be addressed to it (AMB-26). */
  #previous: { readonly uid: string; readonly left: number } | null = null;

  constructor({ log, sendBytesMax, host = hostFacts }: SessionOptions) {
    this.#log = log;
    let facts: HostFacts | null = null;
    this.#outgoing = new Outgoing(log, sendBytesMax, () => (facts ??= host()));
  }

  /** A ServerToAgent without an error arrived on this connection. */
  get useful(): boolean {
    return this.#useful;
  }

  /** A status left that nothing has arrived for since; heartbeats do not count. */
  get awaitsReply(): boolean {
    return this.#outgoing.awaitsReply;
  }

  /** Null until the first report. */
  get instanceUid(): string | null {
    return this.#outgoing.report?.instanceUid ?? null;
  }

  /** The newest report; it replaces the one before. */
  tell(report: Report, unixNano: bigint): void {
    const before = this.instanceUid;
    if (before !== null && before !== report.instanceUid) {
      this.#previous = { uid: before, left: this.#outgoing.unanswered + 1 };
    }
    this.#outgoing.tell(report, unixNano);
  }

  /** A connection is there. Its first message is complete, unless the last one to the same endpoint was answered. */
  connected(endpoint: string): void {
    this.#malformed = 0;
    this.#useful = false;
    this.#outgoing.connected(endpoint);
  }

  /** The next message, null when there is nothing to say. Taking it changes nothing until `sent`. */
  next(now: Millis): Draft | null {
    return this.#outgoing.next(now);
  }

  /** How long `next` holds back a full report that was asked for too often; null: it holds back nothing. */
  heldBackMs(now: Millis): Millis | null {
    return this.#outgoing.heldBackMs(now);
  }

  /** A message without any status; null before the first report. */
  heartbeat(): Draft | null {
    return this.#outgoing.heartbeat();
  }

  /** The last message: what is pending, and the word that the agent goes. */
  disconnect(): Draft | null {
    return this.#outgoing.disconnect();
  }

  /** The message was written (WebSocket) or answered (plain HTTP). */
  sent(draft: Draft): void {
    this.#outgoing.sent(draft);
  }

  /** It was not: its content stays pending. `unknown`: the server may have seen it; `declined`: it said no for now. */
  notSent(draft: Draft, fate: "unsent" | "unknown" | "declined"): void {
    this.#outgoing.notSent(draft, fate);
  }

  /** The server refuses the content (BAD_REQUEST, 400): it is not sent again until it changes (AMB-17). */
  refused(draft: Draft | null, because: string): void {
    this.#log.error("Server refuses a message", { error: because });
    this.#outgoing.refused(draft);
  }

  /** The server refuses the size (1009, 413): the largest part is not sent again until it changes (AMB-04). */
  tooLarge(draft: Draft | null, because: string): void {
    this.#outgoing.tooLarge(draft, because);
  }

  /** Protobuf bytes of one ServerToAgent. */
  received(data: Uint8Array): Received {
    let message: ServerToAgent;
    try {
      message = fromBinary(ServerToAgentSchema, data);
    } catch (error) {
      return { events: [], act: this.malformed(`not a ServerToAgent: ${messageOf(error)}`, data.length) };
    }
    this.#malformed = 0;
    if (!this.#isForUs(message)) return { events: [], act: GO_ON };
    this.#outgoing.learn(message.capabilities);
    if (message.errorResponse !== undefined) return { events: [], act: this.#failed(message.errorResponse) };
    this.#useful = true;
    this.#outgoing.answered();
    return { events: this.#read(message), act: GO_ON };
  }

  /** Something arrived that is no message. It is dropped; several in a row end the connection. */
  malformed(reason: string, bytes: number): Act {
    this.#malformed++;
    this.#log.warn("Malformed message from the server", { reason, bytes });
    if (this.#malformed < MALFORMED_MAX) return { do: "skip", because: reason };
    return { do: "give-up", because: `the server sent ${this.#malformed} malformed messages in a row (${reason})` };
  }

  #read(message: ServerToAgent): readonly Event[] {
    const report = this.#outgoing.report;
    if (report === null) return [];
    const wishes = readServerMessage(message, report.instanceUid, report.capabilities);
    for (const field of wishes.ignored) {
      this.#warnOnce(`ignored ${field}`, "Ignoring what the server sent without the capability for it", { field });
    }
    if (wishes.fullState) this.#outgoing.askFull();
    if (wishes.components) this.#outgoing.askComponents();
    return wishes.events;
  }

  /** An empty uid is common in small servers; the previous one is in use until the server has seen the new one. */
  #isForUs({ instanceUid }: ServerToAgent): boolean {
    if (instanceUid.length === 0) return true;
    const addressed = uidFromBytes(instanceUid);
    if (addressed === this.instanceUid) {
      this.#previous = null;
      return true;
    }
    const previous = this.#previous;
    if (previous !== null && addressed === previous.uid) {
      this.#previous = previous.left > 1 ? { uid: previous.uid, left: previous.left - 1 } : null;
      return true;
    }
    const shown = addressed ?? Buffer.from(instanceUid.subarray(0, 16)).toString("hex");
    this.#warnOnce("foreign uid", "Ignoring messages for another instance uid", { addressed: shown });
    return false;
  }

  /** The other fields of such a message are ignored (AMB-18). Unknown types count as UNKNOWN (ER-08). */
  #failed({ type, errorMessage, Details }: ServerErrorResponse): Act {
    const said = errorMessage === "" ? "it gave no reason" : errorMessage;
    if (type !== ServerErrorResponseType.ServerErrorResponseType_Unavailable) {
      this.#outgoing.answered();
      this.refused(null, said);
      return GO_ON;
    }
    const delay = Details.case === "retryInfo" ? Details.value.retryAfterNanoseconds : 0n;
    const retryAfterMs = delay === 0n ? null : Number((delay + NANOSECONDS_PER_MS - 1n) / NANOSECONDS_PER_MS);
    return { do: "leave", retryAfterMs, because: `the server is unavailable: ${said}` };
  }

  #warnOnce(key: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#log.warn(message, fields);
  }
}
