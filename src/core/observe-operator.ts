/** What somebody wants, at the server by a restart command or at the host: another try of what failed or is held. */
import { mayRetry, startNow } from "./ladder.js";
import { mayOfferAgain, offerAgain } from "./offer-again.js";
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
  const { standIn } = forgotten;
  const retried = standIn !== null && mayRetry(forgotten) ? { ...forgotten, standIn: { ...standIn, retryAt: turn.now } } : forgotten;
  const asked = startNow({ ...retried, restartedAt: turn.now }, turn);
  if (process.is === "down" || process.run.turn !== wanted.run.turn) return asked;
  const next = state.turn + 1;
  return {
    ...asked,
    turn: next,
    wanted: { is: "run", run: { ...wanted.run, turn: next }, because: "the server commanded a restart" },
  };
}

/**
 * The local files may have been repaired: they are read again, also where that is under way (its news is dropped), and the
 * newest offer, if it failed, is tried again on top.
 */
export function observeRetryRequest(state: State, turn: Turn): State {
  const forgotten = forget(state, turn);
  const { base, offers } = forgotten;
  const asked = startNow({ ...forgotten, base: { ...base, preparing: 0, isStale: true, retryAt: turn.now } }, turn);
  return mayOfferAgain(state) ? offerAgain({ ...asked, offers: { ...offers, blameless: 0, isForgotten: false } }, turn) : asked;
}

/** A known failure is no longer a reason to refuse; the server still has to offer it again. What stands in is not for long, if somebody has repaired something. */
function forget(state: State, turn: Turn): State {
  const { offers, standIn } = state;
  const failures = offers.failures.length === 0 ? offers.failures : [];
  return { ...state, standIn: standIn && { ...standIn, tries: 0 }, offers: { ...offers, failures, isForgotten: offers.status?.is === "failed", forgottenAt: turn.now } };
}
