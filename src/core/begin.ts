/**
 * The first state, from what the last life of the supervisor left on disk. What was APPLIED runs again; what FAILED does
 * not; a trial that was cut short is tried again, on top of what worked before it.
 */
import type { Memory } from "./memory.js";
import type { Policy } from "./policy.js";
import type { Base, State, Waiting } from "./state.js";
import type { Millis, RememberedFacts } from "./values.js";

export function begin(policy: Policy, memory: Memory, remembered: RememberedFacts | null, now: Millis): State {
  return {
    policy,
    instanceUid: memory.instanceUid,
    process: { is: "down", restartAt: now, error: "" },
    wanted: { is: "nothing", because: "the configuration is being prepared", fine: false },
    base: baseOf(policy, memory, now),
    rollout: { is: "idle" },
    waiting: interruptedTrial(policy, memory, now),
    offers: {
      lastReceived: memory.lastReceived,
      lastWorking: memory.lastWorking,
      status: memory.status,
      durableStatus: memory.status,
      unsavedStatus: null,
      proven: memory.proven,
      lastOfferAt: null,
      repeats: 0,
      repeatedAt: null,
    },
    restarts: { crashes: 0 },
    executable: remembered === null ? { is: "unknown" } : { is: "known", facts: remembered.executable },
    storage: { is: "working" },
    server: { is: "never-connected" },
    said: {
      description: remembered?.description ?? null,
      components: remembered?.components ?? null,
      health: null,
      files: null,
    },
    closing: null,
    finished: false,
    turn: 1,
    attempt: 0,
    ticket: 0,
    lastLink: 0,
  };
}

function baseOf(policy: Policy, memory: Memory, now: Millis): Base {
  const none = { build: null, preparing: 0, refusal: "", retryAt: now };
  if (!policy.acceptsRemoteConfig) return { from: "local", remote: null, ...none };
  const applied = memory.status === null || memory.status.is === "applied";
  if (applied && memory.lastReceived !== null) return { from: "last-received", remote: memory.lastReceived, ...none };
  if (memory.lastWorking !== null) return { from: "last-working", remote: memory.lastWorking, ...none };
  return { from: "local", remote: null, ...none };
}

function interruptedTrial(policy: Policy, memory: Memory, now: Millis): Waiting | null {
  if (!policy.acceptsRemoteConfig || memory.status?.is !== "applying" || memory.lastReceived === null) return null;
  return { offer: memory.lastReceived, durable: true, actAt: now, firstAt: now };
}
