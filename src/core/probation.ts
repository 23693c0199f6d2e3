/**
 * Between applied and good. A configuration that was healthy once may still die, fall ill or flip-flop: only one that
 * stayed healthy for the whole probation, in one stretch, becomes what is returned to.
 */
import { stepAside } from "./ladder.js";
import { PROBATION_CRASHES_MAX, PROBATION_FLIPS_MAX } from "./limits.js";
import { failProbation, prove, reasonOf } from "./rollout.js";
import { sameBuild } from "./run.js";
import type { Probation, State } from "./state.js";
import type { Turn } from "./turn.js";

/** The process that runs is the one on probation. */
export function onProbation(state: State): boolean {
  const { probation, process } = state;
  return probation !== null && process.is !== "down" && sameBuild(process.run.build, probation.build);
}

export function probationHealthy(state: State, turn: Turn): State {
  return change(state, (probation) =>
    probation.endsAt === null ? { ...probation, sickSince: null, endsAt: turn.now + state.policy.probationMs } : probation,
  );
}

export function probationSick(state: State, error: string, turn: Turn): State {
  const sick = change(state, (probation) => ({
    ...probation,
    endsAt: null,
    sickSince: probation.sickSince ?? turn.now,
    flips: probation.flips + (probation.endsAt === null ? 0 : 1),
  }));
  const flips = sick.probation?.flips ?? 0;
  if (flips < PROBATION_FLIPS_MAX) return sick;
  return fail(sick, turn, `the Collector lost its health ${flips} times during probation: ${error}`);
}

/** It was stopped on purpose, to start again: the stretch begins anew. While another one is tried in its place, it waits. */
export function probationInterrupted(state: State, turn: Turn): State {
  const { probation, wanted } = state;
  const again = probation !== null && wanted.is === "run" && sameBuild(wanted.run.build, probation.build);
  if (!again) return state;
  return change(state, (probation) => ({ ...probation, endsAt: null, sickSince: turn.now }));
}

/** It runs again after it could not be started: from here on it is expected to become healthy. */
export function probationStarted(state: State, turn: Turn): State {
  if (!onProbation(state)) return state;
  return change(state, (probation) => (probation.endsAt === null && probation.sickSince === null ? { ...probation, sickSince: turn.now } : probation));
}

/** It cannot show what it is worth: it waits for its next healthy moment, without a clock. */
export function probationSuspended(state: State): State {
  return change(state, (probation) => ({ ...probation, endsAt: null, sickSince: null }));
}

/** The number of crashes during this probation, this one included, decides between a restart and the way back. */
export function probationCrashed(state: State, reason: string, output: string, turn: Turn): State {
  const crashed = change(state, (probation) => ({
    ...probation,
    endsAt: null,
    sickSince: probation.sickSince ?? turn.now,
    crashes: probation.crashes + 1,
  }));
  const crashes = crashed.probation?.crashes ?? 0;
  if (crashes < PROBATION_CRASHES_MAX) return crashed;
  return fail(crashed, turn, `${reason}, crash number ${crashes} during probation`, output);
}

/** What the passing of time means for it: it has passed, or it was ill for too long. */
export function probationDeadline(state: State, turn: Turn): State {
  const { probation, policy } = state;
  if (probation === null) return state;
  if (probation.endsAt !== null && probation.endsAt <= turn.now) {
    return prove({ ...state, probation: null }, probation.build);
  }
  if (probation.sickSince !== null && probation.sickSince + policy.applyTimeoutMs <= turn.now) {
    const last = state.process.is === "unhealthy" ? `: ${state.process.error}` : "";
    return fail(state, turn, `the Collector was not healthy for ${policy.applyTimeoutMs / 1000} s during probation${last}`);
  }
  return state;
}

/** An offer has failed; for what should run there is a step below it, or nothing but going on. */
function fail(state: State, turn: Turn, reason: string, output = ""): State {
  if (state.probation?.of === "offer") return failProbation(state, reason, turn, output);
  return stepAside({ ...state, probation: null }, reasonOf(reason, output), turn);
}

function change(state: State, update: (probation: Probation) => Probation): State {
  return state.probation === null ? state : { ...state, probation: update(state.probation) };
}
