/**
 * The sending half of the session: which parts of the newest report the server has not been told, and the message that
 * tells it. There is one pending message, always of the newest state, never a queue (TH-12).
 */
import { create, toBinary } from "@bufbuild/protobuf";
import type { Report } from "../core/report.js";
import type { Millis } from "../core/values.js";
import {
  AgentCapabilities as Bit,
  AgentDisconnectSchema,
  AgentToServerSchema,
  ServerCapabilities,
  type AgentToServer,
} from "../gen/opamp/v1/opamp_pb.js";
import type { Logger } from "../lib/log.js";
import { Allowance } from "./allowance.js";
import type { HostFacts } from "./description.js";
import { FULL_REPORT_BURST, FULL_REPORT_MS, TELL_BURST, TELL_MS } from "./limits.js";
import { cutReport, PART_NAMES, type Cut, type PartName } from "./parts.js";
import { uidToBytes } from "./uid.js";

type Digests = ReadonlyMap<PartName, string>;

/** A message that may be sent. It has not been until the session is told so. */
export interface Draft {
  /** Protobuf, without the header of the WebSocket transport. */
  readonly bytes: Uint8Array;
  readonly number: bigint;
  readonly instanceUid: string;
  readonly capabilities: bigint;
  /** The parts in it. */
  readonly tells: Digests;
  readonly componentMap: boolean;
}

/** The header byte of the WebSocket transport counts too (TR-WS-07). */
const HEADER_BYTES = 1;
/** Parts that can be left out when a message is too large; the others are small. */
const LARGE_PARTS: readonly PartName[] = ["effectiveConfig", "components", "health"];

export class Outgoing {
  readonly #log: Logger;
  readonly #bytesMax: number;
  readonly #host: () => HostFacts;
  readonly #allowance = new Allowance(FULL_REPORT_BURST, FULL_REPORT_MS);
  readonly #pace = new Allowance(TELL_BURST, TELL_MS);
  readonly #told = new Map<PartName, string>();
  readonly #refused = new Map<PartName, string>();
  readonly #oversize = new Map<PartName, string>();
  #cut: Cut | null = null;
  #number = 0n;
  /** The number of a message that the server may have seen: the same content keeps it, other content takes a new one. */
  #spent: { readonly content: string; readonly number: bigint } | null = null;
  #endpoint = "";
  #serverCapabilities = 0n;
  #toldCapabilities: bigint | null = null;
  /** Something has to be sent although no part is due: the first message of a connection, a new identity. */
  #mustSpeak = false;
  #fullAsked = false;
  #componentsAsked = false;
  #tellsMap = false;
  #unanswered = 0;
  #awaitsReply = false;
  #lastTold: Digests = new Map();
  #storm = false;
  #paced = false;
  /** The last look found a message that has to wait. */
  #heldBack = false;

  constructor(log: Logger, bytesMax: number, host: () => HostFacts) {
    this.#log = log;
    this.#bytesMax = bytesMax;
    this.#host = host;
  }

  get report(): Report | null {
    return this.#cut?.report ?? null;
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  get awaitsReply(): boolean {
    return this.#awaitsReply;
  }

  tell(report: Report, unixNano: bigint): void {
    const renamed = this.report !== null && this.report.instanceUid !== report.instanceUid;
    this.#cut = cutReport(report, this.#cut, unixNano, this.#host);
    if (!renamed) return;
    // The server has nothing under the new uid (AMB-27).
    this.#told.clear();
    this.#refused.clear();
    this.#mustSpeak = true;
  }

  connected(endpoint: string): void {
    if (this.#unanswered > 0 || endpoint !== this.#endpoint) this.#told.clear();
    this.#endpoint = endpoint;
    this.#serverCapabilities = 0n;
    this.#unanswered = 0;
    this.#awaitsReply = false;
    this.#mustSpeak = true;
    this.#lastTold = new Map();
  }

  /** Later messages may carry 0, which means nothing (CAP-16). */
  learn(capabilities: bigint): void {
    if (capabilities !== 0n) this.#serverCapabilities = capabilities;
  }

  askFull(): void {
    this.#fullAsked = true;
  }

  askComponents(): void {
    this.#componentsAsked = true;
  }

  answered(): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#awaitsReply = false;
  }

  next(now: Millis): Draft | null {
    if (this.#cut === null) return null;
    this.#grantAsked(now);
    const recapable = this.#toldCapabilities !== null && this.#toldCapabilities !== this.#cut.report.capabilities;
    const draft = this.#compose(this.#cut, this.#mustSpeak || recapable, false);
    this.#heldBack = draft !== null && !this.#granted(now);
    return this.#heldBack ? null : draft;
  }

  heldBackMs(now: Millis): Millis | null {
    const waits: Millis[] = [];
    if (this.#heldBack) waits.push(this.#pace.waitMs(now));
    if (this.#fullAsked || this.#mapAsked()) waits.push(this.#allowance.waitMs(now));
    // Even when the wait is over by now: nobody else would ask again.
    return waits.length === 0 ? null : Math.max(...waits);
  }

  heartbeat(): Draft | null {
    return this.#cut === null ? null : this.#draft(this.#cut, [], false);
  }

  disconnect(): Draft | null {
    return this.#cut === null ? null : this.#compose(this.#cut, true, true);
  }

  sent(draft: Draft): void {
    if (draft.number >= this.#number) this.#number = draft.number + 1n;
    this.#spent = null;
    this.#unanswered++;
    // What was told to the server under another identity is not known under this one.
    if (draft.instanceUid !== this.report?.instanceUid) return;
    for (const [name, digest] of draft.tells) this.#told.set(name, digest);
    this.#toldCapabilities = draft.capabilities;
    if (draft.tells.size > 0 || this.#mustSpeak) this.#awaitsReply = true;
    this.#mustSpeak = false;
    if (draft.componentMap) this.#tellsMap = false;
    this.#lastTold = draft.tells;
  }

  notSent(draft: Draft, fate: "unsent" | "unknown" | "declined"): void {
    if (fate === "unsent") return;
    if (draft.number >= this.#number) this.#number = draft.number + 1n;
    this.#spent = { content: contentOf(draft), number: draft.number };
    if (fate === "unknown") this.#unanswered++;
  }

  refused(draft: Draft | null): void {
    this.#mustSpeak = false;
    for (const [name, digest] of draft?.tells ?? this.#lastTold) this.#refused.set(name, digest);
  }

  tooLarge(draft: Draft | null, because: string): void {
    const tells = draft?.tells ?? this.#lastTold;
    const largest = this.#cut === null ? null : this.#largest(this.#cut, [...tells.keys()]);
    const digest = largest === null ? undefined : tells.get(largest);
    if (largest === null || digest === undefined) {
      this.#log.error("Server refuses a message", { error: because });
      this.refused(draft);
      return;
    }
    this.#leaveOut(largest, digest, because);
  }

  /** What is held back is not lost: the next message tells the newest state. */
  #granted(now: Millis): boolean {
    if (this.#pace.take(now)) return true;
    if (!this.#paced) this.#log.warn("Status changes too often, sending less often", { interval_ms: TELL_MS });
    this.#paced = true;
    return false;
  }

  #grantAsked(now: Millis): void {
    if (!this.#fullAsked && !this.#mapAsked()) return;
    if (!this.#allowance.take(now)) {
      if (!this.#storm) this.#log.warn("Server asks for the full state too often, answering once a second", {});
      this.#storm = true;
      return;
    }
    if (this.#fullAsked) {
      this.#told.clear();
      this.#refused.clear();
      this.#mustSpeak = true;
    }
    if (this.#mapAsked()) {
      this.#told.delete("components");
      this.#refused.delete("components");
      this.#tellsMap = true;
      this.#componentsAsked = false;
    }
    this.#fullAsked = false;
  }

  /** The map was asked for and is known. */
  #mapAsked(): boolean {
    return this.#componentsAsked && this.#cut !== null && this.#cut.parts.components !== null;
  }

  #compose(cut: Cut, mustSpeak: boolean, last: boolean): Draft | null {
    for (;;) {
      const due = PART_NAMES.filter((name) => this.#isDue(cut, name));
      if (due.length === 0 && !mustSpeak) return null;
      const draft = this.#draft(cut, due, last);
      if (draft.bytes.length + HEADER_BYTES <= this.#bytesMax) return draft;
      const largest = this.#largest(cut, due);
      const digest = largest === null ? undefined : draft.tells.get(largest);
      if (largest === null || digest === undefined) return last ? this.#draft(cut, [], last) : null;
      this.#leaveOut(largest, digest, `the message has ${draft.bytes.length} bytes, more than ${this.#bytesMax}`);
    }
  }

  #isDue(cut: Cut, name: PartName): boolean {
    const digest = cut.parts[name]?.digest;
    if (digest === undefined || !this.#isReported(cut.report, name)) return false;
    return this.#told.get(name) !== digest && this.#refused.get(name) !== digest && this.#oversize.get(name) !== digest;
  }

  /** What is not announced is not sent; what the server lacks is not used once that is known (CAP-17, AMB-23). */
  #isReported({ capabilities }: Report, name: PartName): boolean {
    const serverTakes = (bit: ServerCapabilities): boolean =>
      this.#serverCapabilities === 0n || (this.#serverCapabilities & BigInt(bit)) !== 0n;
    const announced = (bit: Bit): boolean => (capabilities & BigInt(bit)) !== 0n;
    switch (name) {
      case "description":
        return true;
      case "health":
        return announced(Bit.AgentCapabilities_ReportsHealth);
      case "effectiveConfig":
        return (
          announced(Bit.AgentCapabilities_ReportsEffectiveConfig) &&
          serverTakes(ServerCapabilities.ServerCapabilities_AcceptsEffectiveConfig)
        );
      case "remoteConfigStatus":
        return announced(Bit.AgentCapabilities_ReportsRemoteConfig);
      case "components":
        return announced(Bit.AgentCapabilities_ReportsAvailableComponents);
    }
  }

  #draft(cut: Cut, names: readonly PartName[], last: boolean): Draft {
    const { capabilities, instanceUid } = cut.report;
    const tells = new Map(names.map((name) => [name, cut.parts[name]?.digest ?? ""]));
    const componentMap = this.#tellsMap && tells.has("components");
    const draft = { instanceUid, capabilities, tells, componentMap };
    const number = this.#spent?.content === contentOf(draft) ? this.#spent.number : this.#number;
    const message = this.#message(cut, names, componentMap);
    message.sequenceNum = number;
    if (last) message.agentDisconnect = create(AgentDisconnectSchema);
    return { ...draft, number, bytes: toBinary(AgentToServerSchema, message) };
  }

  #message(cut: Cut, names: readonly PartName[], componentMap: boolean): AgentToServer {
    const { capabilities, instanceUid } = cut.report;
    const message = create(AgentToServerSchema, { instanceUid: uidToBytes(instanceUid), capabilities });
    for (const name of names) cut.parts[name]?.put(message, componentMap);
    return message;
  }

  #largest(cut: Cut, names: readonly PartName[]): PartName | null {
    const sizes = LARGE_PARTS.filter((name) => names.includes(name)).map((name) => {
      return { name, bytes: toBinary(AgentToServerSchema, this.#message(cut, [name], this.#tellsMap)).length };
    });
    return sizes.sort((one, other) => other.bytes - one.bytes)[0]?.name ?? null;
  }

  #leaveOut(name: PartName, digest: string, because: string): void {
    this.#oversize.set(name, digest);
    this.#told.delete(name);
    this.#log.error("Part of the status is too large to be sent, leaving it out until it changes", { part: name, because });
  }
}

/** Two messages of the same content are the same message, whatever their number. */
function contentOf({ instanceUid, capabilities, tells, componentMap }: Omit<Draft, "bytes" | "number">): string {
  return JSON.stringify([instanceUid, capabilities.toString(), [...tells], componentMap]);
}
