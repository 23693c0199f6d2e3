/**
 * The way down from what should run to what can run, and the way up again. The base stays what it is; while it is refused
 * or crashes, a stand-in from a step below runs. Only time, an operator or the server leads up: so it never loops.
 */
import { BASE_RETRY_MS, BASE_RETRY_MS_MAX, COMPOSE_RETRY_MS, RESTART_JITTER } from "./limits.js";
import { doubled, NO_RESTARTS } from "./restart.js";
import { beginProbation, bounded, isDeadly, isProven, knownFailure, wantBase, wantedBy } from "./rollout.js";
import { againWithOther } from "./offer-again.js";
import { isSettled } from "./preparation.js";
import { nameOfBase, sameBuild } from "./run.js";
import type { Base, Probation, Rung, StandIn, State } from "./state.js";
import type { Turn } from "./turn.js";
import type { Build, Millis } from "./values.js";

/** The steps below the base, best first. What was proven is reverted to as one, so its text comes before anything composed anew. */
export function rungs({ base, offers, policy }: State): readonly Rung[] {
  const { lastWorking, proven } = offers;
  const older = policy.rollsBack && lastWorking !== null && lastWorking.hash !== base.remote?.hash ? lastWorking : null;
  const remotes = [base.remote?.hash ?? null, ...(older === null ? [] : [older.hash])];
  const isKept =
    policy.rollsBack && proven !== null && proven.text !== null && remotes.includes(proven.remoteHash) && proven.digest !== base.build?.prepared.digest;
  const kept: Rung[] = isKept ? ["as-proven"] : [];
  const fallback: Rung[] = policy.hasStartupFallback ? ["fallback"] : [];
  switch (base.from) {
    case "last-received":
      return [...kept, ...(older === null ? [] : (["last-working"] as const)), ...fallback, "local"];
    case "last-working":
      return [...kept, ...fallback, "local"];
    case "fallback":
      return ["local", ...kept];
    case "local":
      return [...kept, ...fallback];
  }
}

/** The base does not run, for this reason: the first step below it is prepared, and runs instead. Nothing changes where there is none. */
export function stepAside(state: State, reason: string, turn: Turn): State {
  if (state.standIn !== null) return stepBack(state, reason, turn);
  const [from] = rungs(state);
  if (from === undefined) return state;
  return {
    ...state,
    standIn: { from, build: null, preparing: 0, isStale: false, reason: bounded(reason), tries: 0, retryAt: retryAt(0, turn), isTrying: false },
  };
}

/** The stand-in does not run either. On the last step it is restarted as everything is. */
export function stepDown(state: State, turn: Turn): State {
  const { standIn } = state;
  if (standIn === null) return state;
  const all = rungs(state);
  const next = all[all.indexOf(standIn.from) + 1];
  if (next !== undefined) return { ...state, standIn: { ...standIn, from: next, build: null, preparing: 0 } };
  return standIn.build === null ? noneStandsIn(state, standIn.reason, turn) : state;
}

/** The base goes on as long as it can be started; without it, what runs does, until the base can be composed. */
function noneStandsIn(state: State, reason: string, turn: Turn): State {
  const none: State = { ...state, standIn: null };
  if (state.base.build !== null && isFree(none)) return wantBase(none, `nothing below ${nameOfBase(state)} can run`);
  return nothingRuns(none, reason, turn);
}

/** The base was tried again, in vain: the stand-in runs on, and the next try is further away. */
function stepBack(state: State, reason: string, turn: Turn): State {
  const { standIn } = state;
  if (standIn === null) return state;
  const tries = standIn.tries + 1;
  const back = { ...standIn, tries, reason: bounded(reason), isTrying: false, retryAt: retryAt(tries, turn) };
  const [first] = rungs(state);
  // What was passed over on the way down may run by now, and so may what crashes with local files that were repaired.
  if (first !== undefined && (first !== standIn.from || (!standIn.isTrying && state.process.is === "down"))) {
    return { ...state, standIn: { ...back, from: first, build: null, preparing: 0 } };
  }
  // The local files were read again for the base, so they are for what stands in for it.
  const stepped: State = { ...state, standIn: { ...back, isStale: standIn.from !== "as-proven" } };
  return isFree(stepped) ? startWanted(wantBase(stepped, `${nameOfBase(state)} does not run`), turn) : stepped;
}

/** The wait grows with each try, and a fleet does not try in step. */
function retryAt(tries: number, turn: Turn): Millis {
  const full = doubled(BASE_RETRY_MS, tries, BASE_RETRY_MS_MAX);
  return turn.now + full * (1 - RESTART_JITTER * turn.random);
}

/** The base is composed again, since the local files may have changed, and then tried. Whatever the server wants comes first. */
export function mayRetry(state: State): boolean {
  const { standIn } = state;
  return standIn !== null && standIn.build !== null && !standIn.isTrying && isSettled(state);
}

/** A trial of its own: it must become healthy and stay so, or the stand-in comes back. */
function tryBase(state: State, build: Build, standIn: StandIn, turn: Turn): State {
  const because = `${nameOfBase(state)} is tried again`;
  const wanted = wantedBy(state, build, because);
  // The local files are what they were when it was proven, or nothing is to run: there is nothing to try.
  const isProven = standIn.build !== null && sameBuild(standIn.build, build);
  if (isProven || !build.prepared.runs) return { ...state, standIn: null, wanted };
  return withoutPause({ ...state, standIn: { ...standIn, isTrying: true }, probation: probationOf(state, build, turn), wanted }, turn);
}

/** News of the preparation of the base. */
export function basePrepared(state: State, build: Build, turn: Turn): State {
  const { base, standIn } = state;
  const isNew = base.build === null || base.isStale;
  // What failed as an offer, with these very local files, is no better as what should run; a later try is another matter.
  const isTriedAnyway = standIn !== null && !isDeadly(state, build);
  const known = !isTriedAnyway && isNew && state.offers.proven?.digest !== build.prepared.digest ? knownFailure(state, build) : null;
  if (known !== null && rungs(state).length > 0) return baseRefused(state, known, false, turn);
  const prepared: State = { ...state, base: { ...base, build, preparing: 0, refusal: "", isStale: false } };
  if (standIn !== null && isNew && isFree(prepared)) return tryBase(prepared, build, standIn, turn);
  if (!isFree(prepared)) return prepared;
  const isOther = state.wanted.is !== "run" || !sameBuild(state.wanted.run.build, build);
  const based = wantBase(prepared, becauseOf(prepared));
  const wanted = isOther ? startWanted(based, turn) : based;
  return standIn === null && isNew ? proveAnew(wanted, build, turn) : wanted;
}

/** With other local files or another executable than those that were proven it has to show that it lasts, and first that it becomes healthy at all. */
function proveAnew(state: State, build: Build, turn: Turn): State {
  const { base, offers, policy } = state;
  if (offers.proven === null || isProven(state, build) || base.from === "fallback" || policy.probationMs === 0 || !build.prepared.runs) return state;
  // What failed with the files or the executable of before may work with these.
  const again = againWithOther(state, turn);
  const { process } = state;
  // It has shown already that it is healthy, and will not say so once more.
  if (process.is === "healthy" && sameBuild(process.run.build, build)) return again;
  return { ...again, probation: probationOf(state, build, turn) };
}

function probationOf({ base }: State, build: Build, turn: Turn): Probation {
  return beginProbation("base", build, base.remote?.hash ?? "", { sickSince: turn.now });
}

/** No pause is due: somebody or something from outside wants it, or the text is new. */
export function startNow(state: State, turn: Turn): State {
  return { ...withoutPause(state, turn), restarts: NO_RESTARTS };
}

/** What is wanted may be another text than the one that crashed. What crashed before goes on where it was: so steps that all crash end in a hold. */
export function startWanted(state: State, turn: Turn): State {
  const { restarts, wanted } = state;
  const isFresh = wanted.is === "run" && !restarts.crashed.includes(wanted.run.build.prepared.digest);
  return { ...withoutPause(state, turn), restarts: isFresh ? { ...restarts, crashes: 0 } : restarts };
}

export function withoutPause(state: State, turn: Turn): State {
  const { process } = state;
  return process.is === "down" ? { ...state, process: { ...process, restartAt: turn.now, held: false } } : state;
}

/** @param isBlameless not the configuration's fault: then the same is tried again, and nothing below it */
export function baseRefused(state: State, reason: string, isBlameless: boolean, turn: Turn): State {
  const { base, standIn } = state;
  const refusal = bounded(reason);
  // A new identity, which changes nothing else, can wait.
  if (base.build !== null && !base.isStale) return { ...state, base: { ...base, preparing: 0 }, renameAt: turn.now + COMPOSE_RETRY_MS };
  // Changed local files: what runs is kept. What could not even be composed is composed again.
  if (base.build !== null && standIn === null) {
    return { ...state, base: { ...base, preparing: 0, refusal, isStale: isBlameless, retryAt: turn.now + COMPOSE_RETRY_MS } };
  }
  if (standIn !== null && isBlameless) {
    return { ...state, base: { ...base, preparing: 0, isStale: false }, standIn: { ...standIn, retryAt: turn.now + COMPOSE_RETRY_MS } };
  }
  // With the local files of today it cannot run: as it was before it is a step of the way down, like any other.
  const refused: State = { ...state, base: { ...base, build: null, preparing: 0, refusal, isStale: false } };
  if (standIn !== null) return stepBack(refused, reason, turn);
  if (isBlameless) return nothingRuns(refused, reason, turn);
  const aside = stepAside(refused, reason, turn);
  return aside.standIn === null ? nothingRuns(refused, reason, turn) : aside;
}

export function standInPrepared(state: State, build: Build, turn: Turn): State {
  const { base, standIn } = state;
  if (standIn === null) return state;
  // The very content that crashes is no way down.
  if (base.build !== null && sameBuild(base.build, build)) return stepDown({ ...state, standIn: { ...standIn, preparing: 0, isStale: false } }, turn);
  const isOther = standIn.build?.prepared.digest !== build.prepared.digest;
  const ready: State = { ...state, standIn: { ...standIn, build, preparing: 0, isStale: false } };
  if (!isFree(ready)) return ready;
  const wanted = wantBase(ready, `${nameOfBase(state)} does not run`);
  return isOther ? startWanted(wanted, turn) : wanted;
}

/** @param isBlameless as above: what runs is kept, and the base is tried again first */
export function standInRefused(state: State, reason: string, isBlameless: boolean, turn: Turn): State {
  const { standIn } = state;
  if (standIn === null) return state;
  // A new identity or changed local files made it necessary: what runs is kept.
  if (standIn.build !== null) {
    return { ...state, standIn: { ...standIn, preparing: 0, isStale: false }, renameAt: turn.now + COMPOSE_RETRY_MS };
  }
  if (isBlameless) return noneStandsIn(state, reason, turn);
  return stepDown({ ...state, standIn: { ...standIn, preparing: 0, reason: bounded(`${standIn.reason}; ${nameOfRung(standIn.from)} was refused: ${reason}`) } }, turn);
}

/** The server was reached for the first time: the startup fallback has done its duty. What it runs is kept until the local one is prepared. */
export function endFallback(state: State, now: Millis): State {
  if (state.base.from !== "fallback") return state;
  const base: Base = { from: "local", remote: null, build: null, preparing: 0, refusal: "", retryAt: now, isStale: false };
  return { ...state, base, standIn: null, probation: state.probation?.of === "base" ? null : state.probation };
}

/** No offer of the server is being tried or proven, so the base or its stand-in is what should run. */
function isFree({ probation, rollout }: State): boolean {
  return rollout.is !== "trying" && probation?.of !== "offer";
}

function nothingRuns(state: State, reason: string, turn: Turn): State {
  const { base, wanted } = state;
  const waits = { ...state, base: { ...base, retryAt: turn.now + COMPOSE_RETRY_MS } };
  // An offer's course goes on, and what ran until now is better than nothing.
  if (!isFree(state) || base.build !== null || wanted.is === "run") return waits;
  return { ...waits, wanted: { is: "nothing", because: `no configuration can run: ${bounded(reason)}`, fine: false } };
}

export function nameOfRung(rung: StandIn["from"]): string {
  switch (rung) {
    case "last-working":
      return "the configuration that worked before";
    case "as-proven":
      return "the last good configuration, as it was proven,";
    case "fallback":
      return "the startup fallback";
    case "local":
      return "the local configuration alone";
  }
}

function becauseOf(state: State): string {
  const { base } = state;
  if (base.from === "fallback") return "the startup fallback runs until the server is reached";
  return base.remote === null ? "the local configuration is wanted" : `${nameOfBase(state)} worked last`;
}
