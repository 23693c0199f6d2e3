/** When the loop has to wake up although nothing happened: the earliest of all that waits for time. */
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
  const { base, executable, policy, probation, process, rollout, storage, waiting, wanted } = state;
  const times: Millis[] = [];
  const mayPrepare = executable.is === "known" && base.preparing === 0 && rollout.is !== "preparing";
  if (mayPrepare && base.build === null) times.push(base.retryAt);
  if (mayPrepare && waiting?.durable === true) times.push(waiting.actAt);
  if (rollout.is === "trying" && rollout.giveUpAt !== null) times.push(rollout.giveUpAt);
  if (probation !== null && probation.endsAt !== null) times.push(probation.endsAt);
  if (probation !== null && probation.sickSince !== null) times.push(probation.sickSince + policy.applyTimeoutMs);
  if (process.is === "starting" && !process.late) times.push(process.lateAt);
  if (process.is === "down" && wanted.is === "run" && !resumes(state)) times.push(process.restartAt);
  const renamed = base.build !== null && base.build.instanceUid !== state.instanceUid;
  if (mayPrepare && renamed && rollout.is === "idle" && waiting === null && probation === null) times.push(state.renameAt);
  if (storage.is === "failing") times.push(storage.retryAt);
  if (executable.is === "failing") times.push(executable.retryAt);
  return times;
}
