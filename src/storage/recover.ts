/**
 * Makes one memory of the files that a last life left, whoever wrote them and wherever it died. Pure. Its rule: a status
 * counts only for the configuration that it was written for; where that is in doubt the configuration is on trial again.
 */
import type { Memory, Proven } from "../core/memory.js";
import type { RemoteConfig, RemoteStatus } from "../core/values.js";
import type { OwnState, StateVersion } from "./own-state.js";
import type { PersistentState } from "./persistent-state.js";

export interface Found {
  /** Null: the file is damaged. Undefined: it is absent. `digest` is the SHA-256 of its bytes. */
  readonly state: (PersistentState & { readonly digest: string }) | null | undefined;
  readonly own: OwnState | null;
  /** It was there, and cannot be read: so we ran here before, and what of it was on trial is lost. */
  readonly isOwnDamaged: boolean;
  readonly received: FoundConfig | null;
  readonly working: FoundConfig | null;
  readonly onProbation: FoundConfig | null;
  /** The text that belongs to what `own` says is proven; null where it is lost. */
  readonly goodText: string | null;
}

export interface FoundConfig {
  readonly config: RemoteConfig;
  readonly digest: string;
}

export interface Recovered extends Omit<Memory, "instanceUid"> {
  /** Null: there is none that could be used. */
  readonly instanceUid: string | null;
  /** `persistent_state.yaml` was written by another supervisor, or there is none. */
  readonly takenOver: boolean;
}

export function recover(found: Found): Recovered {
  const { own, state, received, working } = found;
  const written = state === null ? own?.versions.slice(-1) : own?.versions.filter((version) => version.state === state?.digest);
  const ahead = written === undefined || written.length === 0 ? null : versionAhead(found);
  const known = ahead === null ? written : [ahead];
  const takenOver = known === undefined || known.length === 0;
  const said = ahead === null ? statedBy(found) : (own?.status ?? null);
  const lastReceived = received?.config ?? standIn(working, said);
  const aboutIt = takenOver || received === null || known.some((version) => version.received === received.digest);
  const status = lastReceived === null ? null : statusFor(lastReceived, said, aboutIt);
  const applied = takenOver && status?.is === "applied";
  // Nobody knows whether it had lasted: what is not known to be good has to show it.
  const inDoubt = applied && found.isOwnDamaged && working?.config.hash !== status.hash;
  return {
    // A file that somebody removed means a new identity (a cloned host); a damaged one does not.
    instanceUid: state === undefined ? null : (state?.instanceUid ?? own?.instanceUid ?? null),
    lastReceived,
    lastWorking: applied && !inDoubt ? lastReceived : (working?.config ?? null),
    status,
    isTriedAgain: !takenOver && own?.isTriedAgain === true && status?.is === "failed" && own.status?.hash === status.hash,
    // Whoever ran here in between knew nothing of our trials.
    onProbation: !takenOver && isNamed(found.onProbation, known, aboutIt) ? (found.onProbation?.config ?? null) : null,
    trials: inDoubt ? [{ of: "offer", hash: status.hash, digest: "", executable: "", lives: 1 }] : takenOver ? [] : (own?.trials ?? []),
    failures: own?.failures ?? [],
    proven: provenOf(found),
    takenOver,
  };
}

/**
 * The file comes before the state that names it, together with an offer that the state does not speak of yet, and it goes
 * after the state that does not name it any more: what is left of it then must not take the place of what was applied since.
 */
function isNamed(onProbation: FoundConfig | null, known: readonly StateVersion[], aboutIt: boolean): boolean {
  const named = known.at(-1)?.onProbation ?? null;
  return !aboutIt || named === null || named === onProbation?.digest;
}

function provenOf({ goodText, own }: Found): Proven | null {
  if (own === null || own.proven === null) return null;
  const { digest, executable, instanceUid, remoteHash } = own.proven;
  return { digest, executable, text: goodText, instanceUid, remoteHash };
}

/** "lost": there was a status that cannot be read any more. */
function statedBy({ state, own }: Found): RemoteStatus | null | "lost" {
  if (state === undefined) return null;
  if (state === null) return own === null ? "lost" : own.status;
  return state.status === null && state.problems.length > 0 ? "lost" : state.status;
}

/**
 * It died between the two files: what our own says of the same configuration is the newer, and trials and failures come
 * from there. Null: it did not, or the newer status is about a configuration that did not reach the disk.
 */
function versionAhead({ own, received, state }: Found): StateVersion | null {
  const newest = own?.versions.at(-1);
  const isAhead = newest !== undefined && state !== null && newest.state !== state?.digest && newest.received === (received?.digest ?? "");
  return isAhead ? newest : null;
}

/** The received file is lost, but what worked last is what was received last. */
function standIn(working: FoundConfig | null, said: RemoteStatus | null | "lost"): RemoteConfig | null {
  if (working === null || said === null || said === "lost" || working.config.hash === "") return null;
  return working.config.hash === said.hash ? working.config : null;
}

function statusFor(received: RemoteConfig, said: RemoteStatus | null | "lost", aboutIt: boolean): RemoteStatus | null {
  const trial: RemoteStatus = { is: "applying", hash: received.hash, error: "" };
  if (said === "lost" || !aboutIt) return trial;
  if (said === null) return null;
  return said.hash === received.hash ? said : trial;
}
