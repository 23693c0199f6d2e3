/** Questions about runs and processes that several parts ask. */
import type { Proven } from "./memory.js";
import type { Alive, Process, State } from "./state.js";
import type { Build, Hex, Run } from "./values.js";
import { check } from "../lib/check.js";

/** What was proven, as it ran. */
export function buildOf({ digest, instanceUid, remoteHash, text }: Proven): Build {
  check(text !== null, "the text of what was proven is lost");
  return { prepared: { digest, text, runs: true, remoteHash }, remote: null, instanceUid };
}

/** The same content in the same turn: nothing would change by starting `b` in place of `a`. */
export function sameRun(a: Run, b: Run): boolean {
  return a.turn === b.turn && sameBuild(a.build, b.build);
}

export function sameBuild(a: Build, b: Build): boolean {
  return a.prepared.digest === b.prepared.digest && a.instanceUid === b.instanceUid;
}

/** The process as long as there is one, stopping included. */
export function alive(process: Process): (Exclude<Process, { is: "down" }> & Alive) | null {
  return process.is === "down" ? null : process;
}

/** The process runs what the rollout tries. */
export function onTrial(state: State): boolean {
  const { process, rollout } = state;
  return rollout.is === "trying" && process.is !== "down" && sameBuild(process.run.build, rollout.build);
}

/** What should run when no trial is in force, in words. */
export function nameOfBase({ base }: State): string {
  if (base.from === "fallback") return "the startup fallback";
  return base.remote === null ? "the local configuration" : `configuration ${shortHash(base.remote.hash)}`;
}

/** How people read a hash: enough of it to compare by eye. */
export function shortHash(hash: Hex): string {
  return hash === "" ? "without a hash" : hash.slice(0, 12);
}

/** At the start, what was applied and healthy in the last life is about to run again: nothing else needs to run before it. */
export function resumes({ attempt, returning, rollout }: State): boolean {
  return attempt === 0 && returning?.isLate === false && rollout.is !== "trying";
}
