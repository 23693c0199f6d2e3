/** What somebody wants, at the server by a restart command or at the host: another try of what failed or is held. */
import { mayRetry, startNow } from "./ladder.js";
import { FORGET_MS_MIN, RESTART_COMMAND_MS_MIN } from "./limits.js";
import type { State } from "./state.js";
import type { Turn } from "./turn.js";

/** "Again" is a new turn of the same run; a pause after crashes ends. A restart that is under way already is the answer. */
export function observeRestartCommand(state: State, turn: Turn): State {
  const { wanted, process } = state;
  if (!state.policy.acceptsRestartCommand || wanted.is !== "run") return state;
  if (state.restartedAt !== null && turn.now - state.restartedAt < RESTART_COMMAND_MS_MIN) return state;
  const { forgottenAt } = state.offers;
  const mayForget = forgottenAt === null || turn.now - forgottenAt >= FORGET_MS_MIN;
  const forgotten = mayForget ? forget(state, turn) : state;
  const standIn = forgotten.standIn !== null && mayRetry(forgotten) ? { ...forgotten.standIn, retryAt: turn.now } : forgotten.standIn;
  const asked = startNow({ ...forgotten, standIn, restartedAt: turn.now }, turn);
  if (process.is === "down" || process.run.turn !== wanted.run.turn) return asked;
  const next = state.turn + 1;
  return {
    ...asked,
    turn: next,
    wanted: { is: "run", run: { ...wanted.run, turn: next }, because: "the server commanded a restart" },
  };
}

/** The local files may have been repaired: they are read again, and the newest offer, if it failed, is tried again on top. */
export function observeRetryRequest(state: State, turn: Turn): State {
  const forgotten = forget(state, turn);
  const { base, offers, rollout, waiting } = forgotten;
  const asked = startNow({ ...forgotten, base: { ...base, isStale: true, retryAt: turn.now } }, turn);
  const { lastReceived, status } = offers;
  const isIdle = rollout.is === "idle" && waiting === null;
  if (!isIdle || lastReceived === null || status?.is !== "failed" || !state.policy.acceptsRemoteConfig) return asked;
  return {
    ...asked,
    offers: { ...offers, status: { is: "applying", hash: lastReceived.hash, error: "" }, isBlameless: false, isForgotten: false },
    waiting: { offer: lastReceived, durable: false, actAt: turn.now, firstAt: turn.now },
  };
}

/** A known failure is no longer a reason to refuse; the server still has to offer it again. */
function forget(state: State, turn: Turn): State {
  const { offers } = state;
  const failures = offers.failures.length === 0 ? offers.failures : [];
  return { ...state, offers: { ...offers, failures, isForgotten: offers.status?.is === "failed", forgottenAt: turn.now } };
}
