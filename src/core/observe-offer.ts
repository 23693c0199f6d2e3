/** What an offer of the server, and the news of its preparation, mean for the state. */
import type { Event } from "./event.js";
import { baseRefused, basePrepared, standInPrepared, standInRefused, startNow } from "./ladder.js";
import { COMPOSE_RETRY_MS, OFFER_BURST_WINDOW_MS, OFFER_PAUSE_MS, OFFER_RETRY_MS, OFFER_WAIT_MS_MAX } from "./limits.js";
import { blameless, failWaiting } from "./offer-again.js";
import { applyTrial, knownFailure, refuseOffer, wantedBy } from "./rollout.js";
import { alive, sameBuild, shortHash } from "./run.js";
import type { Offers, Returning, State, Stored } from "./state.js";
import type { Turn } from "./turn.js";
import type { Build, Millis, RemoteConfig } from "./values.js";

export function observeOffer(state: State, offer: RemoteConfig, turn: Turn): State {
  if (!state.policy.acceptsRemoteConfig) return state;
  if (isKnown(state, offer) && !mayRetry(state, turn.now)) return repeatStatus(state, turn.now);
  const { lastReceived } = state.offers;
  const offers = {
    ...state.offers,
    stored: storedBefore(state.offers),
    lastReceived: offer,
    status: { is: "applying" as const, hash: offer.hash, error: "" },
    lastOfferAt: turn.now,
    blameless: 0,
    againAt: null,
    isForgotten: false,
  };
  const firstAt = state.waiting?.firstAt ?? turn.now;
  // Without hashes only the content tells whose deaths those were.
  const isOther = lastReceived === null || !sameFiles(lastReceived, offer);
  const interrupted = isOther ? state.interrupted.filter((trial) => trial.of === "base" || trial.hash !== offer.hash) : state.interrupted;
  const waiting = { offer, durable: false, firstAt, actAt: actAt(state, firstAt, turn.now) };
  const offered: State = { ...state, interrupted, offers, waiting };
  if (state.storage.is === "failing") return failUnsaved(offered, state.storage.error, turn);
  return state.executable.is === "failing" ? failUndescribed(offered, state.executable.error, turn) : offered;
}

/** What the newest offer takes the place of, as it is by now, which may be yet to be saved. */
function storedBefore({ againAt, lastReceived, status, stored }: Offers): Stored {
  return lastReceived === stored.received ? { received: lastReceived, status, isTriedAgain: againAt !== null } : stored;
}

/** The offer, or that it is on trial, could not be saved, so it is not tried: a crash in the middle would leave a state that nobody can explain. */
export function failUnsaved(state: State, error: string, turn: Turn): State {
  const { offers, waiting } = state;
  if (waiting === null) {
    // It has failed already, for another reason that was not in it.
    const isNew = offers.status?.is === "failed" && offers.status.wasTried !== true && offers.lastReceived !== offers.stored.received;
    return isNew ? { ...state, offers: { ...offers, unsavedStatus: offers.status } } : state;
  }
  const reason = `cannot store the configuration, so it was not tried: ${error}; free or repair the storage directory`;
  const failed = failWaiting(state, reason, turn);
  return { ...failed, offers: { ...failed.offers, unsavedStatus: failed.offers.status } };
}

/** Without the executable nothing can be composed for it, and APPLYING for as long as that lasts would be a lie. */
export function failUndescribed(state: State, error: string, turn: Turn): State {
  return failWaiting(state, `the configuration was not tried, since the Collector's executable cannot be described: ${error}`, turn);
}

export function observePrepared(state: State, ticket: number, build: Build, turn: Turn): State {
  if (ticket === state.base.preparing) return basePrepared(state, build, turn);
  if (ticket === state.standIn?.preparing) return standInPrepared(state, build, turn);
  const { process, rollout, wanted } = state;
  if (rollout.is !== "preparing" || rollout.ticket !== ticket) return state;
  const running = alive(process);
  const same = running !== null && wanted.is === "run" && sameBuild(running.run.build, build) && running.run.turn === state.turn;
  const known = same && process.is === "healthy" ? null : knownFailure(state, build);
  if (known !== null) return refuseOffer(state, known, turn.now, true);
  const because = `configuration ${shortHash(rollout.offer.hash)} was offered`;
  const trying: State = {
    ...(same ? state : startNow(state, turn)),
    probation: same || state.probation === null ? state.probation : { ...state.probation, endsAt: null, sickSince: null },
    rollout: { is: "trying", offer: rollout.offer, build, giveUpAt: same ? turn.now + state.policy.applyTimeoutMs : null },
    wanted: wantedBy(state, build, because),
  };
  // The same content under another hash: nothing to swap, and it is known to be healthy.
  return same && process.is === "healthy" ? applyTrial(trying, build, rollout.offer.hash, turn.now) : trying;
}

export function observeRefused(state: State, event: Extract<Event, { is: "config-refused" }>, turn: Turn): State {
  const { isBlameless, reason, ticket } = event;
  if (ticket === state.base.preparing) return baseRefused(state, reason, isBlameless, turn);
  if (ticket === state.standIn?.preparing) return standInRefused(state, reason, isBlameless, turn);
  if (state.rollout.is !== "preparing" || state.rollout.ticket !== ticket) return state;
  if (isBlameless && state.rollout.offer === state.returning?.offer) return returnLater(state, state.returning, reason, turn);
  const refused = refuseOffer(state, reason, turn.now);
  return isBlameless ? blameless(refused, turn) : refused;
}

/** What was applied comes back once it can be prepared. What waits for it cannot be prepared either, and is tried after it. */
function returnLater(state: State, returning: Returning, reason: string, turn: Turn): State {
  return failWaiting({ ...state, rollout: { is: "idle" }, returning: { ...returning, isLate: true, actAt: turn.now + COMPOSE_RETRY_MS } }, reason, turn);
}

/** The newest offer again. An empty hash says nothing, so there the content decides. */
function isKnown(state: State, offer: RemoteConfig): boolean {
  const { lastReceived, status } = state.offers;
  if (status === null || status.hash !== offer.hash) return false;
  return offer.hash !== "" || (lastReceived !== null && sameFiles(lastReceived, offer));
}

/** What failed for want of an executable or of disk space may work by now, and so may what somebody wants to be tried again. */
function mayRetry({ offers }: State, now: Millis): boolean {
  if (offers.status?.is !== "failed") return false;
  return offers.isForgotten || (offers.againAt !== null && offers.lastOfferAt !== null && now - offers.lastOfferAt >= OFFER_RETRY_MS);
}

function sameFiles(a: RemoteConfig, b: RemoteConfig): boolean {
  return (
    a.files.length === b.files.length &&
    a.files.every((file) =>
      b.files.some((other) => other.name === file.name && other.contentType === file.contentType && sameBytes(file.body, other.body)),
    )
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Silence makes a server resend, answering each time makes a loop: so the known status is repeated, but rarely. */
function repeatStatus(state: State, now: Millis): State {
  const { offers, policy } = state;
  if (offers.status?.is === "applying") return state;
  if (offers.repeatedAt !== null && now - offers.repeatedAt < policy.heartbeatMs) return state;
  return { ...state, offers: { ...offers, repeats: offers.repeats + 1, repeatedAt: now } };
}

/** The first offer of a burst acts at once; the next waits until offers pause, within a bound. */
function actAt(state: State, firstAt: Millis, now: Millis): Millis {
  const { lastOfferAt } = state.offers;
  const first = state.waiting === null && (lastOfferAt === null || now - lastOfferAt >= OFFER_BURST_WINDOW_MS);
  return first ? now : Math.min(now + OFFER_PAUSE_MS, firstAt + OFFER_WAIT_MS_MAX);
}
