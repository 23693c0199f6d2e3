/**
 * Writes down what happened and decides nothing. Late news is recognised by identity: a process by its attempt, a
 * connection of its extension by its link, a preparation by its ticket.
 */
import type { Event } from "./event.js";
import { endFallback } from "./ladder.js";
import { COMPOSE_MS, DESCRIBE_RETRY_MS, SAVE_RETRY_MS } from "./limits.js";
import {
  observeExited,
  observeHealth,
  observeNotReloaded,
  observeNotStarted,
  observeReloaded,
  observeStarted,
  timeoutReason,
} from "./observe-collector.js";
import { againAt, offerAgain, sooner } from "./offer-again.js";
import { failUndescribed, failUnsaved, observeOffer, observePrepared, observeRefused } from "./observe-offer.js";
import { observeRestartCommand, observeRetryRequest } from "./observe-operator.js";
import { probationDeadline } from "./probation.js";
import { NO_RESTARTS } from "./restart.js";
import { failTrial } from "./rollout.js";
import { alive } from "./run.js";
import type { Shown, State } from "./state.js";
import { isUnderWay } from "./trials.js";
import type { Turn } from "./turn.js";
import type { ExecutableFacts } from "./values.js";
import { unreachable } from "../lib/check.js";

export function observe(state: State, event: Event, turn: Turn): State {
  if (isStale(state, event)) return state;
  switch (event.is) {
    case "settings-loaded":
      return { ...state, policy: event.policy };
    case "memory-saved":
      return observeSaved(state, turn);
    case "memory-not-saved":
      return observeNotSaved(state, event, turn);
    case "deadline-reached":
      return observeDeadline(state, turn);
    case "shutdown-requested":
      return { ...state, closing: state.closing ?? event.because };
    case "executable-described":
      return sooner(observeDescribed(state, event.facts, turn), turn);
    case "executable-not-described":
      return failUndescribed({ ...state, executable: { is: "failing", error: event.error, retryAt: turn.now + DESCRIBE_RETRY_MS } }, event.error, turn);
    case "config-prepared":
      return observePrepared(state, event.ticket, event.build, turn);
    case "config-shown":
      return observeShown(state, { digest: event.digest, files: event.files });
    case "config-refused":
      return observeRefused(state, event, turn);
    case "server-connected":
      return observeConnected(state, turn);
    case "server-lost":
      return observeLost(state, event.error);
    case "remote-config-offered":
      return observeOffer(state, event.config, turn);
    case "identity-assigned":
      return { ...state, instanceUid: event.instanceUid };
    case "restart-commanded":
      return observeRestartCommand(state, turn);
    case "retry-requested":
      return observeRetryRequest(state, turn);
    default:
      return observeCollector(state, event, turn);
  }
}

type CollectorEvent = Extract<Event, { attempt: number }>;

function observeCollector(state: State, event: CollectorEvent, turn: Turn): State {
  switch (event.is) {
    case "collector-started":
      return observeStarted(state, event.startTimeUnixNano, turn);
    case "collector-not-started":
      return observeNotStarted(state, event.error, turn);
    case "collector-exited":
      return observeExited(state, event.exit, turn);
    case "collector-reloaded":
      return observeReloaded(state, turn);
    case "collector-not-reloaded":
      return observeNotReloaded(state, event.error, turn);
    case "collector-connected":
      return { ...state, lastLink: Math.max(state.lastLink, event.link) };
    case "collector-described":
      return { ...state, said: { ...state.said, description: event.description } };
    case "collector-health":
      return observeHealth(state, event, turn);
    case "collector-components":
      return { ...state, said: { ...state.said, components: event.components } };
    case "collector-config-reported":
      return { ...state, said: { ...state.said, files: event.files } };
    default:
      return unreachable(event);
  }
}

function isStale(state: State, event: Event): boolean {
  if (!("attempt" in event)) return false;
  const process = alive(state.process);
  if (process === null || event.attempt !== process.attempt) return true;
  return "link" in event && event.link < process.linkMin;
}

/** What runs was composed for the executable of before. */
function observeDescribed(state: State, facts: ExecutableFacts, turn: Turn): State {
  const { base, executable } = state;
  const isOther = executable.is === "known" && executable.facts.identity !== facts.identity;
  const known: State = { ...state, executable: { is: "known", facts } };
  if (!isOther || base.build === null) return known;
  const stale: State = { ...known, base: { ...base, isStale: true, retryAt: turn.now } };
  const { process } = state;
  // It ends a hold, once the text is composed for it.
  return process.is === "down" ? { ...stale, restarts: NO_RESTARTS, process: { ...process, held: false, restartAt: turn.now + COMPOSE_MS } } : stale;
}

/** What could still be returned to stays beside it. */
function observeShown(state: State, newest: Shown): State {
  const { base, probation, shown } = state;
  const others = shown.filter(({ digest }) => digest === base.build?.prepared.digest || digest === probation?.build.prepared.digest);
  return { ...state, shown: [newest, ...others.filter(({ digest }) => digest !== newest.digest)] };
}

/** The loop tells of a save right after it, so what was saved is this very state. */
function observeSaved(saved: State, turn: Turn): State {
  const state = saved.storage.is === "failing" ? sooner(saved, turn) : saved;
  const { offers, returning, waiting } = state;
  return {
    ...state,
    storage: { is: "working" },
    returning: returning === null ? null : { ...returning, durable: isUnderWay(saved, returning.offer) },
    offers: { ...offers, savedStatus: offers.status, stored: { received: offers.lastReceived, status: offers.status, isTriedAgain: offers.againAt !== null } },
    waiting: waiting === null ? null : { ...waiting, durable: isUnderWay(saved, waiting.offer) },
  };
}

/** Nothing new begins. What was to come back waits as well, for what it might do could not be noted. */
function observeNotSaved(state: State, { error, isRestSaved }: Extract<Event, { is: "memory-not-saved" }>, turn: Turn): State {
  const { offers, returning, rollout } = state;
  const durable = returning?.durable === true && !isRestSaved;
  const failing: State = {
    ...state,
    storage: { is: "failing", error, retryAt: turn.now + SAVE_RETRY_MS },
    offers: isRestSaved ? { ...offers, savedStatus: offers.stored.status } : offers,
    returning: returning === null ? null : { ...returning, durable, isLate: returning.isLate || (rollout.is === "idle" && !durable) },
  };
  return failUnsaved(failing, error, turn);
}

function observeDeadline(state: State, turn: Turn): State {
  const { process, rollout } = state;
  if (rollout.is === "trying" && rollout.giveUpAt !== null && rollout.giveUpAt <= turn.now) {
    return failTrial(state, timeoutReason(state), turn);
  }
  if (process.is === "starting" && !process.late && process.lateAt <= turn.now) {
    return { ...state, process: { ...process, late: true } };
  }
  const again = againAt(state);
  return again !== null && again <= turn.now ? offerAgain(state, turn) : probationDeadline(state, turn);
}

/** Nothing but the startup fallback depends on the server: the Collector's work goes on without it. */
function observeConnected(state: State, turn: Turn): State {
  const { server } = state;
  const connected: State = { ...state, server: { ...server, isConnected: true, wasReached: true } };
  return server.wasReached ? connected : endFallback(connected, turn.now);
}

function observeLost(state: State, error: string): State {
  const { server } = state;
  const losses = server.isConnected ? server.losses + 1 : server.losses;
  return { ...state, server: { ...server, isConnected: false, losses, error } };
}
