/**
 * What survives a crash. `memory(state)` is a projection of the state, compared with what was last saved, so nobody can
 * forget to save. `storage/` decides names and formats of the files.
 */
import type { State, Stored } from "./state.js";
import { begunIn, sameTrials, subjectOf, trials, type Trial } from "./trials.js";
import type { Hex, RemoteConfig, RemoteStatus } from "./values.js";

export interface Memory {
  /** UUID in canonical text. */
  readonly instanceUid: string;
  /** The newest offer, whatever became of it (`last_recv_remote_config.dat`). */
  readonly lastReceived: RemoteConfig | null;
  /** The last remote configuration that worked (`last_working_remote_config.dat`). */
  readonly lastWorking: RemoteConfig | null;
  /** The outcome of `lastReceived`; null when nothing was ever received. */
  readonly status: RemoteStatus | null;
  /** That is FAILED for a reason that was not in the configuration, or is gone by now: it is tried again. */
  readonly isTriedAgain: boolean;
  /** What was applied and is not good yet, once a newer offer has taken its place in `lastReceived`. */
  readonly onProbation: RemoteConfig | null;
  /** What is on trial or waits for it, each from before its first act until it is good or failed: what is under way first. */
  readonly trials: readonly Trial[];
  /** What failed after it was started, newest first, at most FAILURES_MAX: the same again is not tried. */
  readonly failures: readonly Failure[];
  /** What is good, as it ran; with the same executable it needs no validation to run again. */
  readonly proven: Proven | null;
}

/** Known by the composed text with the executable, not by the server's hash: a hash with a time stamp in it changes nothing. */
export interface Failure {
  /** "" when the supervisor died over it, again and again, before its text was known: then the hash has to do. */
  readonly digest: Hex;
  /** "" where that is not known. */
  readonly executable: string;
  /** "" for the base. */
  readonly hash: Hex;
  /** The supervisor ended over it: not even time is a reason to try it again. */
  readonly isDeadly: boolean;
  readonly reason: string;
  /** The executable's version, for people. */
  readonly version: string;
  /** When, ISO 8601 by the wall clock, for people: nothing is decided by it. */
  readonly at: string;
}

/** The configuration that is good, as it ran: remote, local layers, identity and executable were proven together and are reverted as one. */
export interface Proven {
  readonly digest: Hex;
  readonly executable: string;
  /** The composed text, to return to it when its layers have changed; null where it was lost. */
  readonly text: string | null;
  /** The identity that stands in the text. */
  readonly instanceUid: string;
  /** The `hash` of the remote configuration that took part, null for none. */
  readonly remoteHash: Hex | null;
}

/** The projection of the state that has to be on disk before anything follows from it. */
export function memory(state: State): Memory {
  const { lastReceived, status, againAt } = state.offers;
  return memoryWith(state, { received: lastReceived, status, isTriedAgain: againAt !== null }, trials(state, subjectOf(state)));
}

/** The same without the newest offer, where that may be what there is no room for: the rest need not wait for it. Nothing begins by it. */
export function memoryOfRest(state: State): Memory {
  const { offers: { stored }, waiting } = state;
  const rest = { ...state, waiting: waiting?.offer === stored.received ? waiting : null };
  return memoryWith(rest, stored, trials(rest, begunIn(rest)));
}

function memoryWith(state: State, { isTriedAgain, received, status }: Stored, trials: readonly Trial[]): Memory {
  const { instanceUid, offers } = state;
  const { lastWorking, proven, failures } = offers;
  return { instanceUid, lastReceived: received, lastWorking, status, isTriedAgain, proven, onProbation: onProbation(state, received), trials, failures };
}

/** Nothing remote is what runs, and that is not for want of an offer. */
export const NO_REMOTE: RemoteConfig = { hash: "", files: [] };

function onProbation({ base, policy, probation, returning }: State, received: RemoteConfig | null): RemoteConfig | null {
  // Without going back there is no probation; then it is what runs after a newer offer was refused.
  if (!policy.rollsBack) return base.remote === received ? null : (base.remote ?? NO_REMOTE);
  // While it is brought back it is still what it was.
  const remote = returning?.offer ?? (probation?.of === "offer" ? probation.build.remote : null);
  return remote === received ? null : remote;
}

/** Parts are replaced, never changed in place, so their identity tells. */
export function sameMemory(a: Memory, b: Memory): boolean {
  return (
    a.instanceUid === b.instanceUid &&
    a.lastReceived === b.lastReceived &&
    a.lastWorking === b.lastWorking &&
    a.status === b.status &&
    a.isTriedAgain === b.isTriedAgain &&
    sameTrials(a.trials, b.trials) &&
    a.onProbation === b.onProbation &&
    a.failures === b.failures &&
    a.proven === b.proven
  );
}
