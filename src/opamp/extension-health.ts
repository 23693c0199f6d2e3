/**
 * The health of one link. A large configuration sends dozens of trees of several hundred kilobytes within a second, so
 * only their outermost fields are looked at; a tree is decoded when the verdict changes, else at most a few times a
 * second, and only the newest. The times of the trees are the Collector's own and stay in them.
 */
import { fromBinary } from "@bufbuild/protobuf";
import type { ComponentHealth, Millis, Verdict } from "../core/values.js";
import { ComponentHealthSchema } from "../gen/opamp/v1/opamp_pb.js";
import type { Clock } from "../lib/clock.js";
import { Allowance } from "./allowance.js";
import { BARE_HEALTHY_MS, errorOf, judge, type HealthSummary } from "./verdict.js";
import { scanFields } from "./wire-scan.js";

/** Trees are passed on this far apart while the verdict stays. */
export const TREE_MS = 200;
/** A verdict that changes is told at once, this often in a row; one that flaps without end, as often as trees. */
const CHANGES_BURST = 10;

export interface HealthNews {
  readonly verdict: Verdict;
  readonly error: string;
  readonly health: ComponentHealth;
}

export interface LinkHealthOptions {
  readonly clock: Clock;
  readonly onNews: (news: HealthNews) => void;
  /** The tree cannot be decoded. */
  readonly onMalformed: (error: unknown) => void;
}

export class LinkHealth {
  readonly #options: LinkHealthOptions;
  readonly #changes = new Allowance(CHANGES_BURST, TREE_MS);
  /** What was told last. */
  #verdict: Verdict | null = null;
  #toldAt: Millis = Number.NEGATIVE_INFINITY;
  /** The newest message that was not told yet, and what it amounts to. */
  #newest: Uint8Array | null = null;
  #judged: Verdict = "starting";
  #cancelTree: (() => void) | null = null;
  #cancelBare: (() => void) | null = null;
  /** A bare healthy that was told as "starting", to be told once more when it is believed. */
  #toldBare: Uint8Array | null = null;
  #closed = false;

  constructor(options: LinkHealthOptions) {
    this.#options = options;
  }

  /** @param bytes one ComponentHealth; kept until it is told or replaced. False: it is no such message. */
  receive(bytes: Uint8Array): boolean {
    const summary = this.#closed ? null : summaryOf(bytes);
    if (summary === null) return this.#closed;
    this.#newest = bytes;
    const judged = judge(summary, this.#verdict);
    if (judged !== "probably-healthy") {
      this.#contradictBare();
      this.#judged = judged;
    } else if (this.#verdict === "healthy") {
      this.#judged = "healthy";
    } else {
      this.#cancelBare ??= this.#options.clock.after(BARE_HEALTHY_MS, () => this.#believeBare());
      // What was told before stands until this is believed or contradicted.
      if (this.#verdict !== null) return true;
      this.#judged = "starting";
    }
    this.#tellInTime();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#contradictBare();
    this.#cancelTree?.();
    this.#cancelTree = null;
    this.#newest = null;
  }

  #contradictBare(): void {
    this.#cancelBare?.();
    this.#cancelBare = null;
    this.#toldBare = null;
  }

  #believeBare(): void {
    this.#cancelBare = null;
    this.#judged = "healthy";
    this.#newest ??= this.#toldBare;
    this.#toldBare = null;
    this.#tellInTime();
  }

  #tellInTime(): void {
    const now = this.#options.clock.now();
    const isNew = this.#judged !== this.#verdict;
    const waitMs = isNew ? this.#changes.waitMs(now) : this.#toldAt + TREE_MS - now;
    if (waitMs <= 0) {
      if (isNew) this.#changes.take(now);
      this.#tell(now);
    } else {
      this.#cancelTree ??= this.#options.clock.after(waitMs, () => {
        this.#cancelTree = null;
        if (this.#newest !== null) this.#tellInTime();
      });
    }
  }

  #tell(now: Millis): void {
    this.#cancelTree?.();
    this.#cancelTree = null;
    const bytes = this.#newest;
    if (bytes === null) return;
    this.#newest = null;
    if (this.#cancelBare !== null) this.#toldBare = bytes;
    this.#toldAt = now;
    this.#verdict = this.#judged;
    let health: ComponentHealth;
    try {
      health = fromBinary(ComponentHealthSchema, bytes);
    } catch (error) {
      this.#options.onMalformed(error);
      return;
    }
    this.#options.onNews({ verdict: this.#judged, error: this.#judged === "unhealthy" ? errorOf(health) : "", health });
  }
}

const HEALTHY = 1;
const LAST_ERROR = 3;
const STATUS = 4;

function summaryOf(bytes: Uint8Array): HealthSummary | null {
  const fields = scanFields(bytes);
  if (fields === null) return null;
  const summary = { healthy: false, status: "", lastError: "" };
  for (const field of fields) {
    if (field.number === HEALTHY) summary.healthy = field.value !== 0;
    else if (field.number === STATUS) summary.status = Buffer.from(field.content).toString("utf8");
    else if (field.number === LAST_ERROR) summary.lastError = field.content.length === 0 ? "" : "an error";
  }
  return summary;
}
