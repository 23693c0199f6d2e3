/**
 * The first state, from what the last life of the supervisor left on disk. What is good runs again; what FAILED does not;
 * a trial that was cut short runs again with a fresh probation, on top of what is good, but not for ever: a configuration
 * during whose trial the supervisor keeps dying has failed.
 */
import { FAILURES_MAX, FALLBACK_WAIT_MS, OFFER_RETRY_MS, TRIAL_LIVES_MAX } from "./limits.js";
import type { Memory } from "./memory.js";
import { NO_RESTARTS } from "./restart.js";
import type { Policy } from "./policy.js";
import type { Base, Offers, Returning, State, Waiting } from "./state.js";
import type { Trial } from "./trials.js";
import type { Turn } from "./turn.js";
import type { Hex, Millis, RememberedFacts, RemoteConfig } from "./values.js";

export function begin(policy: Policy, memory: Memory, remembered: RememberedFacts | null, { at, now }: Pick<Turn, "at" | "now">): State {
  const trials = trialsOf(memory);
  const exhausted = trials.filter(isExhausted);
  const interrupted = trials.filter((trial) => !isExhausted(trial));
  const offers = offersOf(policy, memory, exhausted, { at, now });
  return {
    policy,
    instanceUid: memory.instanceUid,
    process: { is: "down", restartAt: now, error: "", held: false },
    wanted: { is: "nothing", because: "the configuration is being prepared", fine: false },
    base: baseOf(policy, offers, memory.onProbation, interrupted, now),
    standIn: null,
    rollout: { is: "idle" },
    probation: null,
    interrupted,
    deadline: null,
    returning: policy.acceptsRemoteConfig && policy.rollsBack ? returningOf(memory, offers, trials, now) : null,
    waiting: policy.acceptsRemoteConfig ? waitingOf(offers, now) : null,
    offers,
    restarts: NO_RESTARTS,
    executable: remembered === null ? { is: "unknown" } : { is: "known", facts: remembered.executable },
    server: { isConnected: false, wasReached: false, losses: 0, error: "" },
    storage: { is: "working" },
    said: {
      description: remembered?.description ?? null,
      components: remembered?.components ?? null,
      health: null,
      files: null,
    },
    renameAt: now,
    restartedAt: null,
    shown: [],
    closing: null,
    finished: false,
    turn: 1,
    attempt: 0,
    ticket: 0,
    lastLink: 0,
  };
}

/** The trials that can go on: of the newest offer, of what was applied before it and stored for that, and of the base. */
function trialsOf({ isTriedAgain, lastReceived, onProbation, status, trials }: Memory): readonly Trial[] {
  const newest = status?.is === "failed" && !isTriedAgain ? undefined : lastReceived?.hash;
  return trials.filter(({ hash, of }) => of === "base" || hash === newest || hash === onProbation?.hash);
}

function offersOf(policy: Policy, memory: Memory, exhausted: readonly Trial[], { at, now }: Pick<Turn, "at" | "now">): Offers {
  const { status } = memory;
  const rest = {
    lastReceived: memory.lastReceived,
    lastWorking: memory.lastWorking,
    proven: memory.proven,
    failures: memory.failures,
    unsavedStatus: null,
    savedStatus: status,
    stored: { received: memory.lastReceived, status, isTriedAgain: memory.isTriedAgain },
    lastOfferAt: null,
    blameless: 0,
    againAt: policy.acceptsRemoteConfig && memory.isTriedAgain ? now + OFFER_RETRY_MS : null,
    isForgotten: false,
    forgottenAt: null,
    repeats: 0,
    repeatedAt: null,
  };
  // One at most, since a life ends over one: the next begins with this.
  const [trial] = exhausted;
  if (trial === undefined) return { ...rest, status };
  const of = trial.of === "offer" ? "this configuration was on trial" : "the changed local files or executable were on trial";
  const error = `the supervisor ended ${trial.lives} times while ${of}; it is not tried again`;
  const { digest, executable, hash } = trial;
  const others = rest.failures.filter((each) => each.digest !== digest || each.executable !== executable || each.hash !== hash);
  const failures = [{ digest, executable, hash, reason: error, version: "", at, isDeadly: true }, ...others].slice(0, FAILURES_MAX);
  const failed = trial.of === "offer" && status?.hash === trial.hash ? { is: "failed" as const, hash: trial.hash, error, wasTried: true } : status;
  return { ...rest, failures, status: failed };
}

function isExhausted(trial: Trial): boolean {
  return trial.lives >= TRIAL_LIVES_MAX;
}

function baseOf(policy: Policy, offers: Offers, before: RemoteConfig | null, interrupted: readonly Trial[], now: Millis): Base {
  const none = { build: null, preparing: 0, refusal: "", retryAt: now, isStale: false };
  // A server that is there ends the fallback before it has begun.
  const start: Base = policy.hasStartupFallback
    ? { ...none, from: "fallback", remote: null, retryAt: now + FALLBACK_WAIT_MS }
    : { ...none, from: "local", remote: null };
  if (!policy.acceptsRemoteConfig) return start;
  const { lastReceived, lastWorking, status } = offers;
  // The newest one was refused, and this one ran on.
  if (!policy.rollsBack && before !== null && before.files.length === 0) return start;
  if (!policy.rollsBack && before !== null) return { from: "last-received", remote: before, ...none };
  const isUndecided = interrupted.some(({ of }) => of === "offer");
  const isOver = (!isUndecided || !policy.rollsBack) && (status === null || status.is === "applied" || (!policy.rollsBack && status.is === "failed"));
  if (isOver && lastReceived !== null) return { from: "last-received", remote: lastReceived, ...none };
  if (policy.rollsBack && lastWorking !== null) return { from: "last-working", remote: lastWorking, ...none };
  return start;
}

/** It comes back before anything newer is tried: only then it can be returned to. */
function returningOf({ onProbation }: Memory, { lastReceived, status }: Offers, trials: readonly Trial[], now: Millis): Returning | null {
  const trialOf = (hash: Hex | undefined): Trial | undefined => trials.find((trial) => trial.of === "offer" && trial.hash === hash);
  const before = trialOf(onProbation?.hash);
  const isOver = before !== undefined && isExhausted(before);
  const offer = status?.is === "applied" && trialOf(status.hash) !== undefined ? lastReceived : isOver ? null : onProbation;
  return offer && { offer, durable: false, actAt: now, isLate: false };
}

/** Without an outcome it is still to be tried, however far its trial had come, or whatever the last life died over. */
function waitingOf({ lastReceived, status }: Offers, now: Millis): Waiting | null {
  return status?.is !== "applying" || lastReceived === null ? null : { offer: lastReceived, durable: false, actAt: now, firstAt: now };
}
