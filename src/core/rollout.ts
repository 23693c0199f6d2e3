/**
 * How the course of an offer ends. Every offer that is not superseded ends in exactly one APPLIED or FAILED for its hash:
 * these functions are the only writers of a final status.
 */
import { BASE_RETRY_MS, FAILURES_MAX, REASON_CHARS_MAX } from "./limits.js";
import type { Failure, Proven } from "./memory.js";
import { blameless } from "./offer-again.js";
import { sameBuild, shortHash } from "./run.js";
import type { Base, Probation, State, Wanted } from "./state.js";
import type { Trial } from "./trials.js";
import type { Turn } from "./turn.js";
import type { Build, Hex, Millis, RemoteConfig, RemoteStatus } from "./values.js";
import { withLogTail } from "../lib/log-tail.js";

/** The configuration passed: it becomes what should run, and the one to return to, as one with all that it ran with. */
export function prove(state: State, build: Build): State {
  const { base, offers, policy } = state;
  const isBase = base.build !== null && sameBuild(base.build, build) && base.remote === build.remote;
  return {
    ...state,
    standIn: null,
    interrupted: state.interrupted.filter((trial) => !isSubject(trial, build)),
    base: isBase
      ? base
      : {
          from: build.remote === null ? "local" : "last-received",
          remote: build.remote,
          build,
          preparing: 0,
          refusal: "",
          retryAt: base.retryAt,
          isStale: base.isStale,
        },
    offers: {
      ...offers,
      lastWorking: policy.rollsBack ? (build.remote ?? offers.lastWorking) : offers.lastWorking,
      failures: withoutFailure(state, build),
      proven: isBase && base.from === "fallback" ? offers.proven : provenBy(state, build),
    },
  };
}

function isSubject({ digest, hash, of }: Trial, { prepared, remote }: Build): boolean {
  return of === "base" ? digest === prepared.digest : hash === remote?.hash;
}

/** What is good is no known failure, whatever it was under another hash. */
function withoutFailure(state: State, build: Build): readonly Failure[] {
  const { failures } = state.offers;
  const others = failures.filter((each) => !isAbout(each, state, build));
  return others.length === failures.length ? failures : others;
}

/** That of the process, which may be another one than lies there by now. "" for unknown. */
function executableOf({ executable, process }: State): string {
  if (process.is !== "down") return process.executable;
  return executable.is === "known" ? executable.facts.identity : "";
}

/** The same as before where it is the same, so that nothing is written. */
function provenBy(state: State, { instanceUid, prepared }: Build): Proven | null {
  const { proven } = state.offers;
  const executable = executableOf(state);
  if (executable === "") return proven;
  const { digest, remoteHash, runs } = prepared;
  // Where nothing runs there is nothing to return to.
  const text = runs ? prepared.text : null;
  const next: Proven = { digest, executable, text, instanceUid, remoteHash };
  const isSame =
    proven !== null &&
    (proven.text !== null || text === null) &&
    proven.digest === digest &&
    proven.executable === next.executable &&
    proven.instanceUid === instanceUid &&
    proven.remoteHash === remoteHash;
  return isSame ? proven : next;
}

/** The trial succeeded: its offer, unless superseded, is APPLIED, and `build` goes on probation (or, without one, is good). */
export function applyTrial(state: State, build: Build, hash: Hex, now: Millis): State {
  const idle: State = { ...state, rollout: { is: "idle" } };
  const applied = isNewest(state) ? conclude(idle, { is: "applied", hash, error: "" }) : idle;
  return probate(applied, build, hash, now);
}

/** Without hashes only the offer itself tells whose outcome it is. */
function isNewest({ offers, rollout }: State): boolean {
  return rollout.is !== "trying" || rollout.offer.hash !== "" || rollout.offer === offers.lastReceived;
}

/** It was healthy for the first time. What was good before stays good; without a probation it is good at once. */
export function probate(state: State, build: Build, hash: Hex, now: Millis): State {
  const { policy } = state;
  if (isGood(state, build) || policy.probationMs === 0 || !build.prepared.runs) return prove({ ...state, probation: null, returning: null }, build);
  const { probation } = state;
  // The same content under another hash goes on with the probation that it is in.
  const isSame = probation?.of === "offer" && probation.endsAt !== null && sameBuild(probation.build, build);
  const afresh = beginProbation("offer", build, hash, { endsAt: now + policy.probationMs });
  // Whatever follows it, the base is not the one that is being tried any more.
  const standIn = state.standIn === null ? null : { ...state.standIn, isTrying: false };
  return { ...state, standIn, returning: null, probation: isSame ? { ...probation, build, hash } : afresh };
}

/** What should run is healthy. With other local files or another executable than those that were proven, it has to show first that it lasts. */
export function probateBase(state: State, build: Build, now: Millis): State {
  const { base, policy } = state;
  if (isGood(state, build) || policy.probationMs === 0) return prove(state, build);
  return { ...state, probation: beginProbation("base", build, base.remote?.hash ?? "", { endsAt: now + policy.probationMs }) };
}

/** @param clock until when it has to stay healthy, or since when it has to become so */
export function beginProbation(of: Probation["of"], build: Build, hash: Hex, clock: { readonly endsAt: Millis } | { readonly sickSince: Millis }): Probation {
  return { of, build, hash, endsAt: null, sickSince: null, crashes: 0, flips: 0, ...clock };
}

/** It is what should run, and there is nothing proven that it differs from. */
function isGood(state: State, build: Build): boolean {
  const { base, offers, standIn } = state;
  if (base.build === null || !sameBuild(base.build, build) || standIn !== null) return false;
  return offers.proven === null || isProvenWith(offers.proven, build, executableOf(state)) || base.from === "fallback";
}

/** This very text lasted with the executable with which it would start now. */
export function isProven({ executable, offers: { proven } }: State, build: Build): boolean {
  return proven !== null && executable.is === "known" && isProvenWith(proven, build, executable.facts.identity);
}

function isProvenWith(proven: Proven, { prepared }: Build, executable: string): boolean {
  return proven.digest === prepared.digest && proven.executable === executable;
}

/** What was APPLIED turned out not to last: the one way from APPLIED to FAILED. */
export function failProbation(state: State, reason: string, turn: Turn, output = ""): State {
  const { probation, offers } = state;
  if (probation === null) return state;
  const { hash } = probation;
  const ended: State = { ...state, probation: null };
  const failed = rememberFailure(ended, probation.build, hash, reason, turn);
  const status = triedInVain(hash, reason, output);
  const concluded = offers.status?.is === "applied" ? conclude(failed, status) : concludeStored(failed, status);
  return concluded.rollout.is === "trying" ? concluded : wantBase(concluded, `configuration ${shortHash(hash)} failed during probation`);
}

function rememberFailure(state: State, build: Build, hash: Hex, reason: string, turn: Turn): State {
  const { executable, offers } = state;
  if (executable.is !== "known") return state;
  const { identity, version } = executable.facts;
  const failure: Failure = { digest: build.prepared.digest, executable: identity, version, hash, reason: bounded(reason), at: turn.at, isDeadly: false };
  const others = offers.failures.filter((each) => each.digest !== failure.digest || each.executable !== failure.executable);
  return { ...state, offers: { ...offers, failures: [failure, ...others].slice(0, FAILURES_MAX) } };
}

/** Why this very configuration failed before with this very executable; null when it did not. */
export function knownFailure(state: State, build: Build): string | null {
  return state.offers.failures.find((each) => isAbout(each, state, build))?.reason ?? null;
}

/** The supervisor died over it, again and again: not even time is a reason to try it again. */
export function isDeadly(state: State, build: Build): boolean {
  return state.offers.failures.some((each) => each.isDeadly && isAbout(each, state, build));
}

function isAbout({ digest, executable, hash }: Failure, state: State, { prepared, remote }: Build): boolean {
  if (state.executable.is !== "known") return false;
  const isContent = digest === "" ? hash !== "" && hash === remote?.hash : digest === prepared.digest;
  return isContent && (executable === state.executable.facts.identity || executable === "");
}

/** The trial failed after the swap: what worked before is wanted again. `output` are the Collector's last lines. */
export function failTrial(state: State, reason: string, turn: Turn, output = ""): State {
  const { rollout } = state;
  if (rollout.is !== "trying") return state;
  const { hash } = rollout.offer;
  if (!state.policy.rollsBack) return keepFailed(state, rollout.build, hash, reason, output);
  const failed = rememberFailure(over(state, rollout.offer), rollout.build, hash, reason, turn);
  const concluded = isNewest(state) ? conclude(failed, triedInVain(hash, reason, output)) : failed;
  return wantFallback(notSoon(concluded, rollout.build, turn), `configuration ${shortHash(hash)} failed`, turn.now);
}

/** What stands in for the very configuration that failed runs for a while before that is tried once more. */
function notSoon(state: State, failed: Build, turn: Turn): State {
  const { base, standIn } = state;
  const isBase = base.remote !== null && (base.remote.hash === failed.remote?.hash || base.build?.prepared.digest === failed.prepared.digest);
  if (standIn === null || !isBase) return state;
  return { ...state, standIn: { ...standIn, retryAt: Math.max(standIn.retryAt, turn.now + BASE_RETRY_MS) } };
}

/** The trial failed before the Collector ran it: so it is not known to fail, and is tried again. */
export function failUntried(state: State, reason: string, turn: Turn): State {
  if (state.rollout.is !== "trying") return state;
  const failed = failTrial(state, reason, turn);
  const offers = { ...failed.offers, failures: state.offers.failures };
  if (offers.status !== state.offers.status) return blameless({ ...failed, offers }, turn);
  // A newer one has taken its place for the server; at the next start it may still be what is to be tried again.
  const isStored = offers.stored !== state.offers.stored;
  return { ...failed, offers: isStored ? { ...offers, stored: { ...offers.stored, isTriedAgain: true } } : offers };
}

/** Where going back is turned off, what failed is what should run. */
function keepFailed(state: State, build: Build, hash: Hex, reason: string, output: string): State {
  const base: Base = { ...state.base, from: "last-received", remote: build.remote, build, preparing: 0 };
  return conclude({ ...state, rollout: { is: "idle" }, base, standIn: null }, triedInVain(hash, reason, output));
}

function triedInVain(hash: Hex, reason: string, tail: string): RemoteStatus {
  return { is: "failed", hash, error: bounded(reason), wasTried: true, ...(tail === "" ? {} : { tail }) };
}

/**
 * The offer was refused before anything was stopped.
 * @param wasTried the same was tried before, and is refused for what became of it
 */
export function refuseOffer(state: State, reason: string, now: Millis, wasTried = false): State {
  const { rollout } = state;
  if (rollout.is !== "preparing") return state;
  const { hash } = rollout.offer;
  const status = wasTried ? triedInVain(hash, reason, "") : { is: "failed" as const, hash, error: bounded(reason) };
  const concluded = conclude(over(state, rollout.offer), status);
  const { probation, wanted } = concluded;
  // What runs on probation was applied before this offer, and goes on with it undisturbed.
  if (probation !== null && wanted.is === "run" && sameBuild(wanted.run.build, probation.build)) return concluded;
  // An earlier trial that was superseded before it was ever healthy may still be running.
  return wantFallback(concluded, `configuration ${shortHash(hash)} was refused`, now);
}

/** Its course has ended, also where it was a way back. */
function over(state: State, offer: RemoteConfig): State {
  return { ...state, rollout: { is: "idle" }, returning: state.returning?.offer === offer ? null : state.returning };
}

/** Sets the outcome of the newest offer; an offer that was superseded gets none. */
export function conclude(state: State, status: RemoteStatus): State {
  const { offers, waiting } = state;
  if (waiting !== null || offers.status?.hash !== status.hash) return concludeStored(state, status);
  return { ...state, offers: { ...offers, status } };
}

/** What could not be stored supersedes it only for the server: after a death nobody knows of that, and APPLIED would be taken for good. */
function concludeStored(state: State, status: RemoteStatus): State {
  const { offers } = state;
  const { stored } = offers;
  const isApplied = status.is === "failed" && stored.status?.is === "applied" && stored.status.hash === status.hash;
  return isApplied ? { ...state, offers: { ...offers, stored: { ...stored, status } } } : state;
}

/** Wants what ran before the trial: what was applied goes on with its probation, afresh; else what is good. */
function wantFallback(state: State, because: string, now: Millis): State {
  const { probation } = state;
  if (probation === null) return wantBase(state, because);
  return { ...state, probation: { ...probation, endsAt: null, sickSince: now }, wanted: wantedBy(state, probation.build, because) };
}

/** Wants what should run when no trial is in force, or what stands in for it. */
export function wantBase(state: State, because: string): State {
  const { base, probation, standIn, wanted } = state;
  const standsIn = standIn !== null && !standIn.isTrying ? standIn.build : null;
  const build = standsIn ?? base.build;
  if (build !== null) {
    // What was to prove itself is not what runs from now on.
    const isOver = probation?.of === "base" && !sameBuild(probation.build, build);
    return { ...state, probation: isOver ? null : probation, wanted: wantedBy(state, build, because) };
  }
  // What was kept, since nothing better could be prepared, is better than nothing.
  if (wanted.is === "nothing" || isKept(state)) return state;
  return { ...state, wanted: { is: "nothing", because: "the configuration is being prepared", fine: false } };
}

/** It is no trial of an offer that runs. */
function isKept({ offers, wanted }: State): boolean {
  if (wanted.is !== "run") return false;
  const { remote } = wanted.run.build;
  return remote === null || remote === offers.lastWorking;
}

/** A build as what is wanted; one with nothing in it to run wants nothing, and that is fine. */
export function wantedBy(state: State, build: Build, because: string): Wanted {
  return build.prepared.runs
    ? { is: "run", run: { turn: state.turn, build }, because }
    : { is: "nothing", because: "the configuration has nothing to run", fine: true };
}

export function reasonOf(reason: string, output: string): string {
  return withLogTail(bounded(reason), output);
}

export function bounded(reason: string): string {
  return reason.length <= REASON_CHARS_MAX ? reason : `${reason.slice(0, REASON_CHARS_MAX)} ...`;
}
