/** Questions about what may be prepared, asked by `decide` before it does and by `deadline` to know when. */
import type { State } from "./state.js";
import type { Build } from "./values.js";

/** One preparation at a time. */
export function mayPrepare({ base, executable, rollout, standIn }: State): boolean {
  const isBusy = base.preparing !== 0 || rollout.is === "preparing" || (standIn !== null && standIn.preparing !== 0);
  return executable.is === "known" && !isBusy;
}

/** Nothing is tried, waits or has to prove itself, so what runs may be composed anew. */
export function isSettled({ probation, returning, rollout, waiting }: State): boolean {
  return rollout.is === "idle" && waiting === null && returning === null && probation === null;
}

/** What runs, or would run, was composed for another identity. */
export function isRenamed(state: State): boolean {
  return isNamedOtherwise(state.base.build, state) || isNamedOtherwise(state.standIn?.build ?? null, state);
}

export function isNamedOtherwise(build: Build | null, { instanceUid }: State): boolean {
  return build !== null && build.instanceUid !== instanceUid;
}
