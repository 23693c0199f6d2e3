/**
 * What survives a crash. `memory(state)` is a projection of the state, compared with what was last saved, so nobody can
 * forget to save. `storage/` decides names and formats of the files.
 */
import { mayPrepare } from "./preparation.js";
import type { Probation, State, Stored } from "./state.js";
import type { Turn } from "./turn.js";
import type { Hex, RemoteConfig, RemoteStatus } from "./values.js";
import { later } from "../lib/later.js";

export interface Memory {
  /** UUID in canonical text. */
  readonly instanceUid: string;
  /** The newest offer, whatever became of it (`last_recv_remote_config.dat`). */
  readonly lastReceived: RemoteConfig | null;
  /** The last remote configuration that worked (`last_working_remote_config.dat`). */
  readonly lastWorking: RemoteConfig | null;
  /** The outcome of `lastReceived`; null when nothing was ever received. */
  readonly status: RemoteStatus | null;
  /** That is FAILED for a reason that was not in the configuration, or is gone by now: it is tried again. */
  readonly isTriedAgain: boolean;
  /** What was applied and is not good yet, once a newer offer has taken its place in `lastReceived`. */
  readonly onProbation: RemoteConfig | null;
  /** What is on trial or waits for it, each from before its first act until it is good or failed: what is under way first. */
  readonly trials: readonly Trial[];
  /** What failed after it was started, newest first, at most FAILURES_MAX: the same again is not tried. */
  readonly failures: readonly Failure[];
  /** What is good, as it ran; with the same executable it needs no validation to run again. */
  readonly proven: Proven | null;
}

/** Like a failure it is known by the text with the executable: another one of either begins anew. */
export interface Trial {
  /** Its subject: the server's offer, or the base with local files or an executable that changed. */
  readonly of: "offer" | "base";
  /** The offer's; "" for the base. */
  readonly hash: Hex;
  /** Of the composed text; "" while that is not known. */
  readonly digest: Hex;
  /** "" while it is not known. */
  readonly executable: string;
  /** How many lives of the supervisor ended over it, and for what is under way this one, which may; a clean end is none. */
  readonly lives: number;
  /** By when this life decides on it unless a crash begins its probation anew: ISO 8601 by the wall clock, for people. The next life begins it afresh. */
  readonly until?: string;
}

/** Known by the composed text with the executable, not by the server's hash: a hash with a time stamp in it changes nothing. */
export interface Failure {
  /** "" when the supervisor died over it, again and again, before its text was known: then the hash has to do. */
  readonly digest: Hex;
  /** "" where that is not known. */
  readonly executable: string;
  /** "" for the base. */
  readonly hash: Hex;
  /** The supervisor ended over it: not even time is a reason to try it again. */
  readonly isDeadly: boolean;
  readonly reason: string;
  /** The executable's version, for people. */
  readonly version: string;
  /** When, ISO 8601 by the wall clock, for people: nothing is decided by it. */
  readonly at: string;
}

/** The configuration that is good, as it ran: remote, local layers, identity and executable were proven together and are reverted as one. */
export interface Proven {
  readonly digest: Hex;
  readonly executable: string;
  /** The composed text, to return to it when its layers have changed; null where it was lost. */
  readonly text: string | null;
  /** The identity that stands in the text. */
  readonly instanceUid: string;
  /** The `hash` of the remote configuration that took part, null for none. */
  readonly remoteHash: Hex | null;
}

/** The projection of the state that has to be on disk before anything follows from it. */
export function memory(state: State): Memory {
  const { lastReceived, status, againAt } = state.offers;
  return memoryWith(state, { received: lastReceived, status, isTriedAgain: againAt !== null }, trials(state, subjectOf(state)));
}

/** The same without the newest offer, where that may be what there is no room for: the rest need not wait for it. Nothing begins by it. */
export function memoryOfRest(state: State): Memory {
  const { offers: { stored }, waiting } = state;
  const rest = { ...state, waiting: waiting?.offer === stored.received ? waiting : null };
  return memoryWith(rest, stored, trials(rest, begunIn(rest)));
}

function memoryWith(state: State, { isTriedAgain, received, status }: Stored, trials: readonly Trial[]): Memory {
  const { instanceUid, offers } = state;
  const { lastWorking, proven, failures } = offers;
  return { instanceUid, lastReceived: received, lastWorking, status, isTriedAgain, proven, onProbation: onProbation(state, received), trials, failures };
}

/** Nothing remote is what runs, and that is not for want of an offer. */
export const NO_REMOTE: RemoteConfig = { hash: "", files: [] };

function onProbation({ base, policy, probation, returning }: State, received: RemoteConfig | null): RemoteConfig | null {
  // Without going back there is no probation; then it is what runs after a newer offer was refused.
  if (!policy.rollsBack) return base.remote === received ? null : (base.remote ?? NO_REMOTE);
  // While it is brought back it is still what it was.
  const remote = returning ?? (probation?.of === "offer" ? probation.build.remote : null);
  return remote === received ? null : remote;
}

type Subject = Omit<Trial, "lives" | "until">;

/** A life that ends over one of them says nothing of the others, but what is known of those is kept. */
function trials(state: State, underWay: Subject | null): readonly Trial[] {
  const { closing, deadline, interrupted, probation, returning, rollout, waiting } = state;
  const offers = [waiting?.offer, returning, rollout.is === "idle" ? null : rollout.offer].map((config) => offer(state, config));
  const all = [underWay, ...offers, probation === null ? null : subjectOfProbation(state, probation), ...interrupted.filter((trial) => isOpen(state, trial))];
  const subjects = all.filter((subject, index): subject is Subject => subject !== null && all.findIndex((other) => isSame(other, subject)) === index);
  return subjects.map((subject) => {
    const before = interrupted.find((trial) => isSame(trial, subject)) ?? { ...subject, lives: 0 };
    if (subject !== underWay) return before;
    // What is not known yet in this life may be known from the last one.
    const { digest, executable } = subject;
    const lives = closing === null ? before.lives + 1 : before.lives;
    return { ...before, digest: digest || before.digest, executable: executable || before.executable, lives, until: deadline?.until ?? "" };
  });
}

/** It goes on later in this life, so what is known of it outlives a death before that. */
function isOpen({ base, offers: { againAt, lastReceived } }: State, { hash, of }: Trial): boolean {
  return of === "base" ? base.build === null : againAt !== null && hash === lastReceived?.hash;
}

/** Notes by when what is under way by now will be decided, at the latest as far as one can know. */
export function noteDeadline(state: State, { at }: Pick<Turn, "at">): State {
  const { deadline, policy } = state;
  const subject = subjectOf(state);
  if (deadline?.of === subject?.of && deadline?.hash === subject?.hash) return state;
  if (subject === null) return { ...state, deadline: null };
  return { ...state, deadline: { of: subject.of, hash: subject.hash, until: later(at, policy.applyTimeoutMs + policy.probationMs) } };
}

/** What a death would be due to: one at a time, and what only waits for its turn is not it. */
function subjectOf(state: State): Subject | null {
  const { returning, rollout, waiting } = state;
  const next = rollout.is !== "preparing" && mayPrepare(state) ? (returning ?? waiting?.offer) : undefined;
  return next === undefined ? begunIn(state) : offer(state, next);
}

/** The same while nothing new can begin. */
function begunIn(state: State): Subject | null {
  const { probation, rollout } = state;
  if (rollout.is !== "idle") return offer(state, rollout.offer);
  return probation === null ? null : subjectOfProbation(state, probation);
}

/** Its trial has begun: a death from now on would be due to it. */
export function isUnderWay(state: State, { hash }: RemoteConfig): boolean {
  const subject = subjectOf(state);
  return subject?.of === "offer" && subject.hash === hash;
}

function offer(state: State, config: RemoteConfig | null | undefined): Subject | null {
  if (config == null) return null;
  const { probation, rollout } = state;
  const { hash } = config;
  const tried = rollout.is === "trying" && rollout.offer.hash === hash ? rollout.build : null;
  const proving = probation?.of === "offer" && probation.hash === hash ? probation.build : null;
  return { of: "offer", hash, digest: (tried ?? proving)?.prepared.digest ?? "", executable: executableOf(state) };
}

function subjectOfProbation(state: State, { build, hash, of }: Probation): Subject {
  return { of, hash: of === "offer" ? hash : "", digest: build.prepared.digest, executable: executableOf(state) };
}

function executableOf({ executable }: State): string {
  return executable.is === "known" ? executable.facts.identity : "";
}

/** What is not known of one of them tells nothing. */
function isSame(a: Subject | null, b: Subject | null): boolean {
  const isCompatible = (one: string, other: string): boolean => one === other || one === "" || other === "";
  return a?.of === b?.of && a?.hash === b?.hash && isCompatible(a?.digest ?? "", b?.digest ?? "") && isCompatible(a?.executable ?? "", b?.executable ?? "");
}

function sameTrials(a: readonly Trial[], b: readonly Trial[]): boolean {
  return a.length === b.length && a.every((trial, index) => isEqual(trial, b[index]));
}

/** The time by which it is decided is no reason to save. */
function isEqual(a: Trial, b: Trial | undefined): boolean {
  return a.of === b?.of && a.hash === b.hash && a.digest === b.digest && a.executable === b.executable && a.lives === b.lives;
}

/** Parts are replaced, never changed in place, so their identity tells. */
export function sameMemory(a: Memory, b: Memory): boolean {
  return (
    a.instanceUid === b.instanceUid &&
    a.lastReceived === b.lastReceived &&
    a.lastWorking === b.lastWorking &&
    a.status === b.status &&
    a.isTriedAgain === b.isTriedAgain &&
    sameTrials(a.trials, b.trials) &&
    a.onProbation === b.onProbation &&
    a.failures === b.failures &&
    a.proven === b.proven
  );
}
