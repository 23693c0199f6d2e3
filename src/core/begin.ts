/**
 * The first state, from what the last life of the supervisor left on disk. What is good runs again; what FAILED does not;
 * a trial that was cut short runs again with a fresh probation, on top of what is good, but not for ever: a configuration
 * during whose trial the supervisor keeps dying has failed.
 */
import { FAILURES_MAX, FALLBACK_WAIT_MS, OFFER_RETRY_MS, TRIAL_LIVES_MAX } from "./limits.js";
import type { Memory, Trial } from "./memory.js";
import { NO_RESTARTS } from "./restart.js";
import type { Policy } from "./policy.js";
import type { Base, Offers, State, Waiting } from "./state.js";
import type { Turn } from "./turn.js";
import type { Millis, RememberedFacts, RemoteConfig } from "./values.js";

export function begin(policy: Policy, memory: Memory, remembered: RememberedFacts | null, { at, now }: Pick<Turn, "at" | "now">): State {
  const trial = trialOf(memory);
  const interrupted = trial === null || isExhausted(trial) ? null : { ...trial, lives: trial.lives + 1 };
  const ofOffer = trial?.of === "offer" ? trial : null;
  const offers = offersOf(policy, memory, trial, { at, now });
  return {
    policy,
    instanceUid: memory.instanceUid,
    process: { is: "down", restartAt: now, error: "", held: false },
    wanted: { is: "nothing", because: "the configuration is being prepared", fine: false },
    base: baseOf(policy, offers, memory.onProbation, interrupted?.of === "offer" ? interrupted : null, now),
    standIn: null,
    rollout: { is: "idle" },
    probation: null,
    interrupted,
    returning: policy.acceptsRemoteConfig && policy.rollsBack ? returningOf(memory, offers, ofOffer) : null,
    returningAt: now,
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

/** The trial that can go on: of the newest offer, or of what was applied before it and stored for that. */
function trialOf({ lastReceived, onProbation, status, trial }: Memory): Trial | null {
  if (trial === null || trial.of === "base") return trial;
  const newest = trial.hash === lastReceived?.hash && status?.is !== "failed";
  return newest || trial.hash === onProbation?.hash ? trial : null;
}

function offersOf(policy: Policy, memory: Memory, trial: Trial | null, { at, now }: Pick<Turn, "at" | "now">): Offers {
  const { status } = memory;
  const rest = {
    lastReceived: memory.lastReceived,
    lastWorking: memory.lastWorking,
    proven: memory.proven,
    failures: memory.failures,
    unsavedStatus: null,
    lastOfferAt: null,
    blameless: 0,
    againAt: policy.acceptsRemoteConfig && memory.isTriedAgain ? now + OFFER_RETRY_MS : null,
    isForgotten: false,
    forgottenAt: null,
    repeats: 0,
    repeatedAt: null,
  };
  if (trial === null || !isExhausted(trial)) return { ...rest, status, durableStatus: status };
  const of = trial.of === "offer" ? "this configuration was on trial" : "the changed local files or executable were on trial";
  const error = `the supervisor ended ${trial.lives} times while ${of}; it is not tried again`;
  const failure = trial.of === "offer" ? { digest: "", hash: trial.hash } : { digest: trial.hash, hash: "" };
  const failures = [{ executable: "", reason: error, version: "", at, ...failure }, ...rest.failures].slice(0, FAILURES_MAX);
  const failed = trial.of === "offer" && status?.hash === trial.hash ? { is: "failed" as const, hash: trial.hash, error } : status;
  return { ...rest, failures, status: failed, durableStatus: status };
}

function isExhausted(trial: Trial): boolean {
  return trial.lives >= TRIAL_LIVES_MAX;
}

function baseOf(policy: Policy, offers: Offers, before: RemoteConfig | null, trial: Trial | null, now: Millis): Base {
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
  const isOver = (trial === null || !policy.rollsBack) && (status === null || status.is === "applied" || (!policy.rollsBack && status.is === "failed"));
  if (isOver && lastReceived !== null) return { from: "last-received", remote: lastReceived, ...none };
  if (policy.rollsBack && lastWorking !== null) return { from: "last-working", remote: lastWorking, ...none };
  return start;
}

/** It comes back before anything newer is tried: only then it can be returned to. */
function returningOf({ onProbation }: Memory, { lastReceived, status }: Offers, trial: Trial | null): RemoteConfig | null {
  if (status?.is === "applied" && trial !== null && trial.hash === status.hash) return lastReceived;
  const isOver = trial !== null && isExhausted(trial) && trial.hash === onProbation?.hash;
  return isOver ? null : onProbation;
}

/** Without an outcome it is still to be tried, however far its trial had come, or whatever the last life died over. */
function waitingOf({ lastReceived, status }: Offers, now: Millis): Waiting | null {
  return status?.is !== "applying" || lastReceived === null ? null : { offer: lastReceived, durable: true, actAt: now, firstAt: now };
}
