/**
 * The newest offer, which failed, once more without the server offering it: since somebody wants it, or since it failed for
 * a reason that was not in it. A fleet whose disks were full comes right without anybody's help.
 */
import { BASE_RETRY_MS_MAX, OFFER_RETRY_MS } from "./limits.js";
import { doubled } from "./restart.js";
import type { State } from "./state.js";
import type { Turn } from "./turn.js";

/** The newest offer failed, and nothing else is under way. */
export function mayOfferAgain({ offers, policy, returning, rollout, waiting }: State): boolean {
  const isIdle = rollout.is === "idle" && waiting === null && returning === null;
  return policy.acceptsRemoteConfig && isIdle && offers.lastReceived !== null && offers.status?.is === "failed";
}

/** @returns null while it is not to be tried again by itself, or cannot be */
export function againAt(state: State): number | null {
  const { executable, offers, storage } = state;
  return mayOfferAgain(state) && executable.is === "known" && storage.is === "working" ? offers.againAt : null;
}

export function offerAgain(state: State, turn: Turn): State {
  const { offers } = state;
  const { lastReceived } = offers;
  if (lastReceived === null) return state;
  return {
    ...state,
    offers: { ...offers, status: { is: "applying", hash: lastReceived.hash, error: "" }, againAt: null },
    waiting: { offer: lastReceived, durable: false, actAt: turn.now, firstAt: turn.now },
  };
}

/** The failure was not the configuration's fault; only the newest offer's outcome can be meant. */
export function blameless(state: State, turn: Turn): State {
  const { offers, waiting } = state;
  if (waiting !== null || offers.status?.is !== "failed") return state;
  const pause = doubled(OFFER_RETRY_MS, offers.blameless, BASE_RETRY_MS_MAX);
  return { ...state, offers: { ...offers, blameless: offers.blameless + 1, againAt: turn.now + pause } };
}

/** What was in the way is gone: the pause need not be longer than the shortest. */
export function sooner(state: State, turn: Turn): State {
  return state.offers.againAt === null ? state : soon(state, turn);
}

/** Local files or the executable are others than when it failed. */
export function againWithOther(state: State, turn: Turn): State {
  return state.offers.status?.is === "failed" ? soon(state, turn) : state;
}

function soon(state: State, turn: Turn): State {
  const { offers } = state;
  return { ...state, offers: { ...offers, againAt: Math.min(offers.againAt ?? Infinity, turn.now + OFFER_RETRY_MS) } };
}

/** It waits for what is not to be had: so the server is told, and it is tried as soon as it can be. */
export function failWaiting(state: State, reason: string, turn: Turn): State {
  const { waiting } = state;
  if (waiting === null) return state;
  const status = { is: "failed" as const, hash: waiting.offer.hash, error: reason };
  return blameless({ ...state, waiting: null, offers: { ...state.offers, status } }, turn);
}
