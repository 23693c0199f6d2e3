/**
 * What must be true after the supervisor was killed and started again. The judge knows what was sent, how often it was
 * killed, and what a server and an operator can see; nothing of how the supervisor comes to it.
 */
import { expect } from "vitest";
import { TRIAL_LIVES_MAX } from "../../../src/core/limits.js";
import { RemoteConfigStatuses } from "../../../src/gen/opamp/v1/opamp_pb.js";
import type { Change, Kind } from "./changes.js";
import type { SeenAgent, SeenStatus } from "./seen-agent.js";

export interface Sent extends Change {
  /** Hexadecimal. */
  readonly hash: string;
}

/** One offer, or two of which the second came before the first was decided, perhaps. */
export interface Course {
  readonly superseded: Sent | null;
  readonly newest: Sent;
  /** Since the first was sent. */
  readonly kills: number;
}

/** What can be seen once the supervisor has come to rest. */
export interface Seen {
  readonly agent: SeenAgent;
  /** "idle" once what runs is good. */
  readonly rollout: string;
  /** Hashes that the storage remembers as those over which the supervisor died too often. */
  readonly exhausted: readonly string[];
}

const EXHAUSTED = new RegExp(`^the supervisor ended ${TRIAL_LIVES_MAX} times while this configuration was on trial`);
const SUCCESSOR = /; (?:configuration ([0-9a-f]+), which [a-z ]+ before,|the local configuration) runs instead/;

/** None: what is applied is good. Short: it may end at any moment. Long: it never ends. */
export type Probation = "none" | "short" | "long";

/** Null stands for the local configuration. */
export class Judge {
  readonly sent: Sent[] = [];
  /** Those that another one followed before they were decided, perhaps. */
  readonly superseded = new Set<Sent>();
  readonly #probation: Probation;
  #running: Sent | null = null;
  /** What passed its probation last; several where nobody saw which. */
  #good: readonly (Sent | null)[] = [null];

  constructor(probation: Probation) {
    this.#probation = probation;
  }

  /** What may run now; throws for an outcome that is not the right one. */
  mayRun({ kills, newest, superseded }: Course, { agent, exhausted }: Seen): readonly (Sent | null)[] {
    const { status } = agent;
    if (status.is === "applied") {
      expect(reasons[newest.kind], `what ${newest.name} should have failed for`).toBeNull();
      return [newest];
    }
    const before = this.#before(superseded, agent).flatMap((one) => (one !== null && exhausted.includes(one.hash) ? this.#good : [one]));
    if (!EXHAUSTED.test(status.error)) {
      const reason = reasons[newest.kind];
      if (reason === null) throw new Error(`${newest.name} works, but failed: ${status.error}`);
      expect(status.error, "why it failed").toMatch(reason);
      return before;
    }
    expect(kills, "deaths that a trial was given up for").toBeGreaterThanOrEqual(TRIAL_LIVES_MAX);
    return agent.courseOf(newest.hash).includes("applied") ? this.#goodBy(before) : before;
  }

  /** What has come to rest, and runs. */
  rests(running: Sent | null, { agent, rollout }: Seen): void {
    const named = SUCCESSOR.exec(agent.status.error);
    if (named !== null) expect(named[1], "the configuration that FAILED says to run instead").toBe(running?.hash.slice(0, 12));
    this.#good = running === this.#running ? this.#good : this.#goodBy([this.#running]);
    this.#running = running;
    if (rollout === "idle") this.isGood();
  }

  /** What runs has passed its probation. */
  isGood(): void {
    this.#good = [this.#running];
  }

  /** Over all lives: one final status for each, none after it, and no trial that is begun for ever. */
  judgeStatuses(agent: SeenAgent): void {
    const known = [...this.sent.map(({ hash }) => hash), ""];
    expect(agent.statuses.filter(({ hash }) => !known.includes(hash)), "statuses of what was never sent").toEqual([]);
    for (const sent of this.sent) {
      const told = agent.statuses.filter(({ hash }) => hash === sent.hash);
      const first = told.findIndex(isFinal);
      const finals = first < 0 ? [] : told.slice(first).filter((status, index, all) => all.findIndex((one) => same(one, status)) === index);
      const [, later] = finals;
      // The one way from APPLIED to FAILED, since nothing that works ever fails by itself here.
      const gaveUp = this.#probation !== "none" && finals.length === 2 && later !== undefined && EXHAUSTED.test(later.error);
      const what = `final statuses of ${sent.kind} ${sent.name}: ${JSON.stringify(finals)}`;
      if (!gaveUp) expect(finals.length, what).toBeLessThanOrEqual(1);
      if (!this.superseded.has(sent)) expect(finals.length, what).toBeGreaterThanOrEqual(1);
      expect(finals.every(isFinal), what).toBe(true);
      expect(begunAgain(agent, sent), `lives that began with a trial of ${sent.name}`).toBeLessThanOrEqual(TRIAL_LIVES_MAX);
    }
  }

  /** What is good once something took the place of `replaced`, whose probation may have ended unseen. */
  #goodBy(replaced: readonly (Sent | null)[]): readonly (Sent | null)[] {
    return this.#probation === "short" ? [...this.#good, ...replaced] : this.#good;
  }

  #before(superseded: Sent | null, agent: SeenAgent): readonly (Sent | null)[] {
    if (superseded === null) return [this.#running];
    if (agent.courseOf(superseded.hash).includes("applied")) return [superseded];
    // It may have been healthy before the next one took its place, and that may never have been told.
    return reasons[superseded.kind] === null ? [superseded, this.#running] : [this.#running];
  }
}

/** Null: it works. */
const reasons: Readonly<Record<Kind, RegExp | null>> = {
  good: null,
  empty: null,
  refused: /no_such_receiver/,
  crashing: /address already in use/,
};

/** How many lives told of it as undecided in their first message. */
function begunAgain(agent: SeenAgent, { hash }: Sent): number {
  const first = agent.messages.filter(({ sequenceNum }) => sequenceNum === 0n).map(({ remoteConfigStatus }) => remoteConfigStatus);
  const applying = first.filter((status) => status?.status === RemoteConfigStatuses.RemoteConfigStatuses_APPLYING);
  return applying.filter((status) => Buffer.from(status?.lastRemoteConfigHash ?? []).toString("hex") === hash).length;
}

export function isFinal({ is }: SeenStatus): boolean {
  return is === "applied" || is === "failed";
}

/** What runs instead may change later, for it may have to be given up too; the outcome and its cause may not. */
function same(one: SeenStatus, other: SeenStatus): boolean {
  return one.is === other.is && one.error.replace(SUCCESSOR, "") === other.error.replace(SUCCESSOR, "");
}
