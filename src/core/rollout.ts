/**
 * How the course of an offer ends. Every offer that is not superseded ends in exactly one APPLIED or FAILED for its hash:
 * these functions are the only writers of a final status.
 */
import { FAILURES_MAX, REASON_CHARS_MAX } from "./limits.js";
import { sameBuild, shortHash } from "./run.js";
import type { State, Wanted } from "./state.js";
import type { Build, Hex, Millis, RemoteStatus } from "./values.js";

/** The configuration ran healthy: it becomes the one to return to. */
export function prove(state: State, build: Build): State {
  const { base, executable, offers } = state;
  const proven =
    executable.is === "known"
      ? { digest: build.prepared.digest, executable: executable.facts.identity }
      : offers.proven;
  const unchanged = base.build !== null && sameBuild(base.build, build) && base.remote === build.remote;
  return {
    ...state,
    base: unchanged
      ? { ...base, refusal: "" }
      : {
          from: build.remote === null ? "local" : "last-received",
          remote: build.remote,
          build,
          preparing: 0,
          refusal: "",
          retryAt: base.retryAt,
        },
    offers: {
      ...offers,
      lastWorking: build.remote ?? offers.lastWorking,
      proven: proven?.digest === offers.proven?.digest && proven?.executable === offers.proven?.executable ? offers.proven : proven,
    },
  };
}

/** The trial succeeded: its offer, unless superseded, is APPLIED, and `build` goes on probation (or, without one, is good). */
export function applyTrial(state: State, build: Build, hash: Hex, now: Millis): State {
  const applied = conclude({ ...state, rollout: { is: "idle" } }, { is: "applied", hash, error: "" });
  return probate(applied, build, hash, now);
}

/** It was healthy for the first time. What was good before stays good; without a probation it is good at once. */
export function probate(state: State, build: Build, hash: Hex, now: Millis): State {
  const { base, policy } = state;
  const isGood = base.build !== null && sameBuild(base.build, build);
  if (isGood || policy.probationMs === 0 || !build.prepared.runs) return prove({ ...state, probation: null }, build);
  return { ...state, probation: { build, hash, endsAt: now + policy.probationMs, sickSince: null, crashes: 0, flips: 0 } };
}

/** What was APPLIED turned out not to last: the one way from APPLIED to FAILED. */
export function failProbation(state: State, reason: string, output = ""): State {
  const { probation, offers } = state;
  if (probation === null) return state;
  const { hash } = probation;
  const over: State = { ...state, probation: null };
  const error = bounded(withOutput(`${reason}; ${successor(over)}`, output));
  const failed = rememberFailure(over, probation.build, hash, error);
  const concluded =
    offers.status?.is === "applied" ? conclude(failed, { is: "failed", hash, error }) : failed;
  return concluded.rollout.is === "trying" ? concluded : wantBase(concluded, `configuration ${shortHash(hash)} failed during probation`);
}

function rememberFailure(state: State, build: Build, hash: Hex, reason: string): State {
  const { executable, offers } = state;
  if (executable.is !== "known") return state;
  const failure = { digest: build.prepared.digest, executable: executable.facts.identity, hash, reason };
  const others = offers.failures.filter((each) => each.digest !== failure.digest || each.executable !== failure.executable);
  return { ...state, offers: { ...offers, failures: [failure, ...others].slice(0, FAILURES_MAX) } };
}

/** Why this very configuration failed before with this very executable; null when it did not. */
export function knownFailure(state: State, build: Build): string | null {
  const { executable, offers } = state;
  if (executable.is !== "known") return null;
  const known = offers.failures.find((each) =>
    each.digest === ""
      ? each.hash === build.remote?.hash
      : each.digest === build.prepared.digest && each.executable === executable.facts.identity,
  );
  return known?.reason ?? null;
}

/** The trial failed after the swap: what worked before is wanted again. `output` are the Collector's last lines. */
export function failTrial(state: State, reason: string, now: Millis, output = ""): State {
  const { rollout } = state;
  if (rollout.is !== "trying") return state;
  const { hash } = rollout.offer;
  const error = bounded(withOutput(`${reason}; ${successor(state)}`, output));
  const failed = rememberFailure({ ...state, rollout: { is: "idle" } }, rollout.build, hash, error);
  return wantFallback(conclude(failed, { is: "failed", hash, error }), `configuration ${shortHash(hash)} failed`, now);
}

/** The offer was refused before anything was stopped. */
export function refuseOffer(state: State, reason: string, now: Millis): State {
  const { rollout } = state;
  if (rollout.is !== "preparing") return state;
  const { hash } = rollout.offer;
  const concluded = conclude({ ...state, rollout: { is: "idle" } }, { is: "failed", hash, error: bounded(reason) });
  const { probation, wanted } = concluded;
  // What runs on probation was applied before this offer, and goes on with it undisturbed.
  if (probation !== null && wanted.is === "run" && sameBuild(wanted.run.build, probation.build)) return concluded;
  // An earlier trial that was superseded before it was ever healthy may still be running.
  return wantFallback(concluded, `configuration ${shortHash(hash)} was refused`, now);
}

/** Notes that the failure was not the configuration's fault; only the newest offer's outcome can be meant. */
export function blameless(state: State, isBlameless: boolean): State {
  return state.waiting === null && isBlameless ? { ...state, offers: { ...state.offers, isBlameless } } : state;
}

/** Sets the outcome of the newest offer; an offer that was superseded gets none. */
export function conclude(state: State, status: RemoteStatus): State {
  if (state.waiting !== null || state.offers.status?.hash !== status.hash) return state;
  return { ...state, offers: { ...state.offers, status } };
}

/** Wants what ran before the trial: what was applied goes on with its probation, afresh; else what is good. */
function wantFallback(state: State, because: string, now: Millis): State {
  const { probation } = state;
  if (probation === null) return wantBase(state, because);
  return { ...state, probation: { ...probation, endsAt: null, sickSince: now }, wanted: wantedBy(state, probation.build, because) };
}

/** Wants what runs when no trial is in force. */
export function wantBase(state: State, because: string): State {
  const { base } = state;
  if (base.build !== null) return { ...state, wanted: wantedBy(state, base.build, because) };
  if (state.wanted.is === "nothing") return state;
  return { ...state, wanted: { is: "nothing", because: "the configuration is being prepared", fine: false } };
}

/** A build as what is wanted; one with nothing in it to run wants nothing, and that is fine. */
export function wantedBy(state: State, build: Build, because: string): Wanted {
  return build.prepared.runs
    ? { is: "run", run: { turn: state.turn, build }, because }
    : { is: "nothing", because: "the configuration has nothing to run", fine: true };
}

/** The base could not be prepared: the next way down, and the truth about it to the server. */
export function stepDown(state: State, reason: string, retryAt: Millis): State {
  const { base, offers } = state;
  const error = bounded(reason);
  if (base.build !== null) {
    // Only a new identity made it necessary; what runs is kept, and not tried again for this identity.
    const build = { ...base.build, instanceUid: state.instanceUid };
    return { ...state, base: { ...base, build, preparing: 0, refusal: error } };
  }
  const next = { build: null, preparing: 0, refusal: error, retryAt: base.retryAt };
  if (base.from === "local") {
    return {
      ...state,
      base: { ...base, ...next, retryAt },
      wanted: { is: "nothing", because: `no configuration can run: ${error}`, fine: false },
    };
  }
  const refused =
    offers.status?.is === "applied" && offers.status.hash === base.remote?.hash
      ? { ...state, offers: { ...offers, status: { is: "failed" as const, hash: offers.status.hash, error } } }
      : state;
  const working = base.from === "last-received" && offers.lastWorking !== null && offers.lastWorking.hash !== base.remote?.hash;
  return working
    ? { ...refused, base: { from: "last-working", remote: offers.lastWorking, ...next } }
    : { ...refused, base: { from: "local", remote: null, ...next } };
}

/** The cause stands in front, where a cut cannot reach it. */
export function withOutput(reason: string, output: string): string {
  return output === "" ? reason : `${reason}; its last output:\n${output}`;
}

function successor(state: State): string {
  const { base, probation } = state;
  if (probation !== null) return `configuration ${shortHash(probation.hash)}, which was applied before, runs instead`;
  if (base.remote === null) return "the local configuration runs instead";
  return `configuration ${shortHash(base.remote.hash)}, which worked before, runs instead`;
}

function bounded(reason: string): string {
  return reason.length <= REASON_CHARS_MAX ? reason : `${reason.slice(0, REASON_CHARS_MAX)} ...`;
}
