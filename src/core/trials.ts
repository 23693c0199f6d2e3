/**
 * What is on trial, and what a death of the supervisor would be due to. Each has a count of its own on disk: a life that ends
 * over one of them says nothing of the others.
 */
import { mayPrepare } from "./preparation.js";
import type { Probation, State } from "./state.js";
import type { Turn } from "./turn.js";
import type { Hex, RemoteConfig } from "./values.js";
import { later } from "../lib/later.js";

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

type Subject = Omit<Trial, "lives" | "until">;

/** @param underWay what a death would be due to; of the others what is known is kept */
export function trials(state: State, underWay: Subject | null): readonly Trial[] {
  const { closing, deadline, interrupted, probation, returning, rollout, waiting } = state;
  const offers = [waiting?.offer, returning?.offer, rollout.is === "idle" ? null : rollout.offer].map((config) => offer(state, config));
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
export function subjectOf(state: State): Subject | null {
  const { returning, rollout, waiting } = state;
  const next = rollout.is !== "preparing" && mayPrepare(state) ? (returning ?? waiting)?.offer : undefined;
  return next === undefined ? begunIn(state) : offer(state, next);
}

/** The same while nothing new can begin. */
export function begunIn(state: State): Subject | null {
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

export function sameTrials(a: readonly Trial[], b: readonly Trial[]): boolean {
  return a.length === b.length && a.every((trial, index) => isEqual(trial, b[index]));
}

/** The time by which it is decided is no reason to save. */
function isEqual(a: Trial, b: Trial | undefined): boolean {
  return a.of === b?.of && a.hash === b.hash && a.digest === b.digest && a.executable === b.executable && a.lives === b.lives;
}
