/** When the loop has to wake up although nothing happened: the earliest of all that waits for time. */
import { mayRetry } from "./ladder.js";
import { againAt } from "./offer-again.js";
import { isRenamed, isSettled, mayPrepare } from "./preparation.js";
import { resumes } from "./run.js";
import type { State } from "./state.js";
import type { Millis } from "./values.js";

/** Null: nothing waits for time. A point in the past means at once. */
export function deadline(state: State): Millis | null {
  if (state.finished) return null;
  const times = state.closing === null ? waits(state) : [];
  return times.length === 0 ? null : Math.min(...times);
}

function waits(state: State): Millis[] {
  const { base, executable, policy, probation, process, returning, rollout, standIn, storage, waiting, wanted } = state;
  const times: Millis[] = [];
  const isFree = mayPrepare(state);
  if (isFree && base.build === null && standIn === null) times.push(base.retryAt);
  if (isFree && returning === null && waiting?.durable === true) times.push(waiting.actAt);
  if (isFree && returning?.durable === true && rollout.is === "idle") times.push(returning.actAt);
  if (isFree && isSettled(state) && base.isStale) times.push(base.retryAt);
  if (isFree && isSettled(state) && isRenamed(state)) times.push(state.renameAt);
  if (isFree && standIn !== null && mayRetry(state)) times.push(standIn.retryAt);
  if (rollout.is === "trying" && rollout.giveUpAt !== null) times.push(rollout.giveUpAt);
  if (probation !== null && probation.endsAt !== null) times.push(probation.endsAt);
  if (probation !== null && probation.sickSince !== null) times.push(probation.sickSince + policy.applyTimeoutMs);
  if (process.is === "starting" && !process.late) times.push(process.lateAt);
  if (process.is === "down" && wanted.is === "run" && !resumes(state)) times.push(process.restartAt);
  const again = againAt(state);
  if (again !== null) times.push(again);
  if (storage.is === "failing") times.push(storage.retryAt);
  if (executable.is === "failing") times.push(executable.retryAt);
  return times;
}
