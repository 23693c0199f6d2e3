/**
 * What news of the Collector means for the state. News about another attempt, or about the time before a reload, was
 * dropped at the door of `observe`.
 */
import type { Event } from "./event.js";
import { onProbation, probationCrashed, probationHealthy, probationInterrupted, probationSick, probationStarted, probationSuspended } from "./probation.js";
import { startWanted, stepAside, stepDown, withoutPause } from "./ladder.js";
import { COMPOSE_MS, STEP_DOWN_CRASHES } from "./limits.js";
import { applyTrial, failTrial, failUntried, probate, probateBase, reasonOf } from "./rollout.js";
import { NO_RESTARTS, planRestart } from "./restart.js";
import { onTrial, sameBuild, sameRun } from "./run.js";
import type { Alive, State } from "./state.js";
import type { Turn } from "./turn.js";
import type { Exit, Millis } from "./values.js";

export function observeStarted(state: State, startTimeUnixNano: bigint, turn: Turn): State {
  const { process } = state;
  if (process.is === "down") return state;
  return probationStarted(startTrialClock({ ...state, process: { ...process, startTimeUnixNano } }, turn), turn);
}

/** The time for health begins with the process (or its reload), not with the decision: a slow stop is not its fault. */
function startTrialClock(state: State, turn: Turn): State {
  const { policy, rollout } = state;
  if (rollout.is !== "trying" || !onTrial(state)) return state;
  return { ...state, rollout: { ...rollout, giveUpAt: turn.now + policy.applyTimeoutMs } };
}

export function observeNotStarted(state: State, error: string, turn: Turn): State {
  if (state.process.is === "stopping") return gone(state, { is: "down", restartAt: turn.now, error: "", held: false });
  const reason = `the Collector could not be started: ${error}`;
  if (onTrial(state)) {
    const down = gone(state, { is: "down", restartAt: turn.now, error: reason, held: false });
    return failUntried({ ...down, restarts: NO_RESTARTS }, reason, turn);
  }
  // It did run before: what is missing now is the executable or the disk, and no configuration is to blame for that.
  const down = crashed(state, reason, turn);
  if (isBaseRetried(state)) return withoutPause(stepAside({ ...down, probation: null }, reason, turn), turn);
  return probationSuspended(down);
}

export function observeReloaded(state: State, turn: Turn): State {
  const { process } = state;
  return startTrialClock(process.is === "starting" ? { ...state, process: { ...process, isReloading: false } } : state, turn);
}

/** The Collector may run the old configuration or the new one: only a restart is certain. */
export function observeNotReloaded(state: State, error: string, turn: Turn): State {
  const failed = failUntried(state, `the Collector could not be reloaded: ${error}`, turn);
  const { process, wanted } = failed;
  if (wanted.is !== "run" || process.is === "down" || !sameRun(process.run, wanted.run)) return failed;
  const next = failed.turn + 1;
  return { ...failed, turn: next, wanted: { is: "run", run: { ...wanted.run, turn: next }, because: `it could not be reloaded: ${error}` } };
}

export function observeExited(state: State, exit: Exit, turn: Turn): State {
  const { process } = state;
  if (process.is === "stopping" || state.closing !== null) {
    return probationInterrupted(gone(state, { is: "down", restartAt: turn.now, error: "", held: false }), turn);
  }
  // It ended with what it ran before; what it was to be reloaded with is started instead.
  if (process.is === "starting" && process.isReloading === true) {
    return gone(state, { is: "down", restartAt: turn.now, error: reasonOf(exitReason(state, exit), exit.tail), held: false });
  }
  return ended(state, exitReason(state, exit), turn, exit.tail);
}

export function observeHealth(state: State, event: Extract<Event, { is: "collector-health" }>, turn: Turn): State {
  const { process } = state;
  const heard: State = { ...state, said: { ...state.said, health: event.health } };
  if (process.is === "down" || process.is === "stopping") return state;
  const { attempt, executable, run, linkMin, startTimeUnixNano } = process;
  const same: Alive = { attempt, executable, run, linkMin, startTimeUnixNano };
  switch (event.verdict) {
    case "healthy":
      return observeHealthy(
        { ...heard, process: { is: "healthy", since: process.is === "healthy" ? process.since : turn.now, ...same } },
        turn,
      );
    case "unhealthy": {
      const sick: State = { ...heard, process: { is: "unhealthy", error: event.error, ...same } };
      return onProbation(sick) ? probationSick(sick, event.error, turn) : sick;
    }
    case "starting":
    case "stopping":
      return heard;
  }
}

function observeHealthy(state: State, turn: Turn): State {
  const { process, rollout, base, waiting } = state;
  if (process.is !== "healthy") return state;
  const { build } = process.run;
  if (rollout.is === "trying" && sameBuild(build, rollout.build)) {
    return applyTrial(state, rollout.build, rollout.offer.hash, turn.now);
  }
  if (onProbation(state)) return probationHealthy(recovered(state), turn);
  if (base.build !== null && sameBuild(base.build, build)) return probateBase(recovered(state), base.build, turn.now);
  // A trial that was superseded before it was healthy: it works, so a refusal of its successor need not end it.
  const { standIn } = state;
  const standsIn = standIn !== null && standIn.build !== null && sameBuild(standIn.build, build);
  const superseded = !standsIn && (rollout.is === "preparing" || waiting !== null);
  return superseded && build.remote !== null ? probate(state, build, build.remote.hash, turn.now) : state;
}

/** The base came up while what should stand in for it was still being prepared: nothing needs to. */
function recovered(state: State): State {
  const { standIn } = state;
  return standIn !== null && standIn.build === null ? { ...state, standIn: null } : state;
}

/** The process ended although it was wanted. */
function ended(state: State, reason: string, turn: Turn, output = ""): State {
  const error = reasonOf(reason, output);
  if (onTrial(state)) {
    const down = gone(state, { is: "down", restartAt: turn.now, error, held: false });
    return failTrial({ ...down, restarts: NO_RESTARTS }, reason, turn, output);
  }
  const down = crashed(state, error, turn);
  if (isBaseRetried(state)) return withoutPause(stepAside({ ...down, probation: null }, error, turn), turn);
  if (!onProbation(state)) return down.restarts.crashes % STEP_DOWN_CRASHES === 0 ? lower(state, down, error, turn) : down;
  const judged = probationCrashed(down, reason, output, turn);
  return judged.probation === null ? startWanted(judged, turn) : judged;
}

/** The base was given another try beside what stands in for it. */
function isBaseRetried(state: State): boolean {
  return state.standIn?.isTrying === true && isBase(state);
}

/** It crashes in a row: where there is a step below it, that runs instead. */
function lower(before: State, down: State, error: string, turn: Turn): State {
  const { policy, process, standIn } = before;
  if (process.is === "down") return down;
  const isStandIn = standIn !== null && standIn.build !== null && sameBuild(process.run.build, standIn.build);
  if (isStandIn) return stepDown(down, turn);
  return isBase(before) && standIn === null && policy.rollsBack ? stepAside(down, `${STEP_DOWN_CRASHES} crashes in a row: ${error}`, turn) : down;
}

/** To be started again when it is time. */
function crashed(state: State, error: string, turn: Turn): State {
  const { restarts, restartAt, held } = planRestart(state.restarts, state.process, turn.now, turn.random);
  const down = { ...gone(state, { is: "down", restartAt, error, held }), restarts };
  return held ? readAgain(down, restartAt, turn) : down;
}

/** Held for long, it may be repaired or upgraded meanwhile: the local files are read again right before each try. */
function readAgain(state: State, restartAt: Millis, turn: Turn): State {
  const { base, standIn } = state;
  if (standIn === null) return { ...state, base: { ...base, isStale: true, retryAt: Math.max(turn.now, restartAt - COMPOSE_MS) } };
  // Nothing runs, so trying the base costs nothing: it need not wait longer than what stands in for it.
  const retryAt = Math.min(standIn.retryAt, restartAt);
  return { ...state, standIn: { ...standIn, retryAt, isStale: standIn.isStale || (standIn.build !== null && standIn.from !== "as-proven") } };
}

/** What runs is what should run. */
function isBase({ base, process }: State): boolean {
  return base.build !== null && process.is !== "down" && process.run.build.prepared.digest === base.build.prepared.digest;
}

function gone(state: State, process: State["process"]): State {
  return { ...state, process, said: { ...state.said, health: null, files: null } };
}

function exitReason(state: State, exit: Exit): string {
  const when = state.process.is === "healthy" ? "" : " before it was healthy";
  return `the Collector ${howEnded(exit)}${when}`;
}

/** The words with which a Collector refuses a configuration that nobody validated before its start. */
const OVER_ITS_CONFIG = /^Error: (?:failed to get config|invalid configuration|failed to build )/m;

/** Four kinds of ends: on purpose of its own, over its configuration, for want of memory, and by a fault or a signal. */
function howEnded({ code, memoryKill, signal, tail }: Exit): string {
  const how = signal === null ? `exited with code ${code ?? "unknown"}` : `was killed by ${signal}`;
  if (memoryKill === "cgroup") return `${how}, for want of memory (the kernel counted it in the control group)`;
  if (memoryKill === "host") return `${how}, probably for want of memory (the kernel ended a process of this host for that)`;
  if (code === 0) return `${how}, which nobody asked for,`;
  return signal === null && OVER_ITS_CONFIG.test(tail) ? `${how} over its configuration` : how;
}

/** The reason of a trial that ran out of time. */
export function timeoutReason(state: State): string {
  const { process, policy } = state;
  const limit = `within ${policy.applyTimeoutMs / 1000} s (agent.config_apply_timeout)`;
  if (process.is === "unhealthy") return `the Collector did not become healthy ${limit}: ${process.error}`;
  if (process.is === "starting" && state.said.health === null) {
    return `the Collector runs, but its opamp extension did not report health ${limit}; see agent.log in the storage directory`;
  }
  return `the Collector did not become healthy ${limit}`;
}
