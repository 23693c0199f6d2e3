/**
 * What runs instead of a configuration that FAILED, in words. It is said when it is told, since it changes: a FAILED that
 * went on naming what has failed since would be a lie.
 */
import { nameOfRung } from "./ladder.js";
import { nameOfBase, sameBuild, shortHash } from "./run.js";
import type { State } from "./state.js";
import type { Build, Hex, RemoteStatus } from "./values.js";

/** "" where there is nothing to say: what was refused has touched nothing. */
export function instead(state: State, status: RemoteStatus | null): string {
  if (status?.is !== "failed" || status.wasTried !== true) return "";
  const { attempt, base, policy, returning, wanted } = state;
  // At the start it is on its way; and one with nothing in it to run is in force all the same.
  const isOnItsWay = attempt === 0 && (returning !== null || (wanted.is === "nothing" && base.refusal === ""));
  if (isOnItsWay || (wanted.is === "nothing" && wanted.fine)) return `${nameOfNext(state)} runs instead`;
  if (wanted.is === "nothing") return "nothing runs instead";
  const { build } = wanted.run;
  if (build.remote?.hash === status.hash) {
    return policy.rollsBack ? "it worked before, and runs again" : "it stays and is restarted, since agent.automatic_config_rollback is off";
  }
  return `${nameOf(state, build)} runs instead`;
}

function nameOfNext(state: State): string {
  const { base, returning } = state;
  const remote = returning?.offer ?? base.remote;
  return remote === null ? nameOfBase(state) : nameOfRemote(remote.hash);
}

/** The same words whether it is good or not yet: a status that changes with each probation would be noise. */
function nameOfRemote(hash: Hex): string {
  return `configuration ${shortHash(hash)}, which worked before,`;
}

function nameOf({ base, standIn }: State, build: Build): string {
  if (standIn?.build != null && sameBuild(standIn.build, build)) return nameOfRung(standIn.from);
  if (base.from === "fallback" && base.build !== null && sameBuild(base.build, build)) return "the startup fallback";
  const { remoteHash } = build.prepared;
  return remoteHash === null ? "the local configuration" : nameOfRemote(remoteHash);
}
