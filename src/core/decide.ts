/**
 * Compares what is wanted with what is, and takes at most one action for each part: executable, preparation, process.
 * What it starts it writes into the state, so deciding twice does nothing new.
 */
import type { ConfigSource, Effect } from "./effect.js";
import { RENAME_MS_MIN } from "./limits.js";
import { mayRetry } from "./ladder.js";
import { isNamedOtherwise, isRenamed, isSettled, mayPrepare } from "./preparation.js";
import { isStable, NO_RESTARTS } from "./restart.js";
import { applyTrial } from "./rollout.js";
import { buildOf, nameOfBase, resumes, sameRun, shortHash } from "./run.js";
import type { Rung, StandIn, State } from "./state.js";
import type { Turn } from "./turn.js";
import type { RemoteConfig, Run } from "./values.js";
import { check } from "../lib/check.js";

export interface Decision {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export function decide(state: State, turn: Turn): Decision {
  if (state.finished) return { state, effects: [] };
  if (state.closing !== null) return close(state, state.closing);
  const effects: Effect[] = [];
  let next = settle(state, turn);
  for (const part of [decideExecutable, decidePreparation, decideProcess]) {
    const decision = part(next, turn);
    next = decision.state;
    effects.push(...decision.effects);
  }
  return { state: next, effects };
}

/** Transitions that follow from the state alone: a configuration with nothing to run is applied once nothing runs. */
function settle(state: State, turn: Turn): State {
  const { process, rollout } = state;
  if (rollout.is !== "trying" || rollout.build.prepared.runs || process.is !== "down") return state;
  return applyTrial(state, rollout.build, rollout.offer.hash, turn.now);
}

function close(state: State, because: string): Decision {
  const { process } = state;
  if (process.is === "down") return { state: { ...state, finished: true }, effects: [{ do: "finish", because }] };
  return stop(state, because, null);
}

function decideExecutable(state: State, turn: Turn): Decision {
  const { executable } = state;
  const due = executable.is === "unknown" || (executable.is === "failing" && executable.retryAt <= turn.now);
  if (!due) return { state, effects: [] };
  const because = executable.is === "unknown" ? "nothing is known of this executable" : "it could not be described before";
  return { state: { ...state, executable: { is: "describing" } }, effects: [{ do: "describe-executable", because }] };
}

/** One preparation at a time, the base first: after a crash in the middle of a trial, what worked runs before the next try. */
function decidePreparation(state: State, turn: Turn): Decision {
  const { base, returning, rollout, standIn, waiting } = state;
  if (!mayPrepare(state)) return { state, effects: [] };
  if (base.build === null && standIn === null && base.retryAt <= turn.now) {
    return prepareBase(state, becauseOfBase(state));
  }
  if (standIn !== null && standIn.build === null) return prepareStandIn(state, standIn, `${nameOfBase(state)} does not run`);
  if (returning !== null) {
    const isDue = returning.durable && rollout.is === "idle" && returning.actAt <= turn.now;
    return isDue ? prepareOffer(state, returning.offer) : { state, effects: [] };
  }
  if (waiting !== null && waiting.durable && waiting.actAt <= turn.now) return prepareOffer({ ...state, waiting: null }, waiting.offer);
  if (!isSettled(state)) return { state, effects: [] };
  if (base.isStale && base.retryAt <= turn.now) return prepareBase(state, "the local files are read again");
  if (standIn?.isStale === true) return prepareStandIn(state, standIn, `${nameOfBase(state)} does not run`);
  if (standIn !== null && mayRetry(state) && standIn.retryAt <= turn.now) {
    return prepareBase({ ...state, base: { ...base, isStale: true } }, `it is time to try ${nameOfBase(state)} again`);
  }
  if (isRenamed(state) && state.renameAt <= turn.now) return prepareRenamed({ ...state, renameAt: turn.now + RENAME_MS_MIN });
  return { state, effects: [] };
}

function becauseOfBase({ base, ticket }: State): string {
  if (base.refusal !== "") return "the one before was refused";
  if (base.from === "fallback") return "the server was not reached yet";
  return ticket === 0 ? "the supervisor has started" : "the server was reached";
}

function prepareBase(state: State, because: string): Decision {
  const { base } = state;
  const source: ConfigSource = base.from === "fallback" ? { is: "fallback" } : { is: "layers", remote: base.remote };
  const ticket = state.ticket + 1;
  return {
    state: { ...state, ticket, base: { ...base, preparing: ticket } },
    effects: [{ do: "prepare-config", ticket, source, ...forPreparation(state), because }],
  };
}

function prepareStandIn(state: State, standIn: StandIn, because: string): Decision {
  const ticket = state.ticket + 1;
  return {
    state: { ...state, ticket, standIn: { ...standIn, preparing: ticket } },
    effects: [{ do: "prepare-config", ticket, source: sourceOf(state, standIn.from), ...forPreparation(state), because }],
  };
}

function sourceOf({ offers }: State, rung: Rung): ConfigSource {
  switch (rung) {
    case "as-proven":
      check(offers.proven !== null, "a step down to what was proven, and nothing is");
      return { is: "as-it-was", build: buildOf(offers.proven) };
    case "last-working":
      return { is: "layers", remote: offers.lastWorking };
    case "fallback":
      return { is: "fallback" };
    case "local":
      return { is: "layers", remote: null };
  }
}

/** What runs carries the identity in its text. Nothing else in it changes: so there is nothing to validate, and local files that changed meanwhile are no part of it. */
function prepareRenamed(state: State): Decision {
  const { base, instanceUid, standIn } = state;
  const ticket = state.ticket + 1;
  const isStandIn = standIn !== null && isNamedOtherwise(standIn.build, state);
  const build = isStandIn ? standIn.build : base.build;
  check(build !== null, "nothing is named otherwise");
  const source: ConfigSource = { is: "as-it-was", build };
  const because = "the server assigned a new instance uid";
  const renaming = isStandIn ? { standIn: { ...standIn, preparing: ticket } } : { base: { ...base, preparing: ticket } };
  return {
    state: { ...state, ticket, ...renaming },
    effects: [{ do: "prepare-config", ticket, source, instanceUid, provenDigest: build.prepared.digest, because }],
  };
}

function prepareOffer(state: State, offer: RemoteConfig): Decision {
  const ticket = state.ticket + 1;
  const because = `configuration ${shortHash(offer.hash)} was offered`;
  return {
    state: { ...state, ticket, rollout: { is: "preparing", offer, ticket } },
    effects: [{ do: "prepare-config", ticket, source: { is: "layers", remote: offer }, ...forPreparation(state), because }],
  };
}

function forPreparation(state: State): { instanceUid: string; provenDigest: string | null } {
  const { executable, instanceUid, offers } = state;
  const { proven } = offers;
  const isSame = executable.is === "known" && proven?.executable === executable.facts.identity;
  return { instanceUid, provenDigest: isSame ? proven.digest : null };
}

function decideProcess(state: State, turn: Turn): Decision {
  const { process, wanted } = state;
  if (process.is === "stopping") return { state, effects: [] };
  if (wanted.is === "nothing") return process.is === "down" ? { state, effects: [] } : stop(state, wanted.because, null);
  if (process.is === "down") {
    if (resumes(state)) return { state, effects: [] };
    return process.restartAt <= turn.now ? start(state, wanted.run, wanted.because, turn) : { state, effects: [] };
  }
  if (sameRun(process.run, wanted.run)) return { state, effects: [] };
  const onlyConfig = process.run.turn === wanted.run.turn;
  // A stable run wipes out earlier crashes, also when it is ended on purpose.
  const calm = isStable(process, turn.now) ? { ...state, restarts: NO_RESTARTS } : state;
  if (state.policy.reloadsByHup && process.is === "healthy" && onlyConfig) return reload(calm, wanted.run, wanted.because, turn);
  return stop(calm, wanted.because, wanted.run);
}

function start(state: State, run: Run, wantedBecause: string, turn: Turn): Decision {
  const attempt = state.attempt + 1;
  const because = state.restarts.crashes > 0 ? "the Collector ended unasked" : wantedBecause;
  const process = {
    is: "starting" as const,
    attempt,
    run,
    linkMin: 0,
    executable: state.executable.is === "known" ? state.executable.facts.identity : "",
    startTimeUnixNano: 0n,
    after: state.process.is === "down" ? state.process.error : "",
    late: false,
    lateAt: turn.now + state.policy.bootstrapTimeoutMs,
  };
  return { state: { ...state, attempt, process }, effects: [{ do: "start-collector", attempt, run, because }] };
}

function stop(state: State, because: string, next: Run | null): Decision {
  const { process } = state;
  if (process.is === "down" || process.is === "stopping") return { state, effects: [] };
  const { attempt, executable, run, linkMin, startTimeUnixNano } = process;
  return {
    state: { ...state, process: { is: "stopping", attempt, executable, run, linkMin, startTimeUnixNano } },
    effects: [{ do: "stop-collector", attempt, next: next?.build ?? null, because }],
  };
}

/** The process stays, its configuration changes: news of links before the reload no longer counts. */
function reload(state: State, run: Run, because: string, turn: Turn): Decision {
  const { process } = state;
  if (process.is !== "healthy") return { state, effects: [] };
  const { attempt, executable, startTimeUnixNano } = process;
  const starting = {
    is: "starting" as const,
    isReloading: true,
    attempt,
    executable,
    run,
    linkMin: state.lastLink + 1,
    startTimeUnixNano,
    after: "",
    late: false,
    lateAt: turn.now + state.policy.bootstrapTimeoutMs,
  };
  return { state: { ...state, process: starting }, effects: [{ do: "reload-collector", attempt, run, because }] };
}
