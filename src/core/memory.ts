/**
 * What survives a crash. `memory(state)` is a projection of the state, compared with what was last saved, so nobody can
 * forget to save. `storage/` decides names and formats of the files.
 */
import type { State } from "./state.js";
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
  /** What is on trial, from before its first act until it is good or failed; null for nothing. */
  readonly trial: Trial | null;
  /** What failed after it was started, newest first, at most FAILURES_MAX: the same again is not tried. */
  readonly failures: readonly Failure[];
  /** What is good, as it ran; with the same executable it needs no validation to run again. */
  readonly proven: Proven | null;
}

export interface Trial {
  /** Its subject: the server's offer, or the base with local files or an executable that changed. */
  readonly of: "offer" | "base";
  /** The offer's; of the base, the digest of its text. */
  readonly hash: Hex;
  /** How many lives of the supervisor have begun it; a clean shutdown gives one back. */
  readonly lives: number;
}

/** Known by the composed text with the executable, not by the server's hash: a hash with a time stamp in it changes nothing. */
export interface Failure {
  /** "" when the supervisor died over it, again and again, before its text was known: then the hash has to do. */
  readonly digest: Hex;
  /** "" where the supervisor died over it, whatever the executable was. */
  readonly executable: string;
  readonly hash: Hex;
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
  const { instanceUid, offers } = state;
  const { lastReceived, lastWorking, status, proven, failures } = offers;
  const isTriedAgain = offers.againAt !== null;
  return { instanceUid, lastReceived, lastWorking, status, isTriedAgain, proven, onProbation: onProbation(state), trial: trial(state), failures };
}

/** Nothing remote is what runs, and that is not for want of an offer. */
export const NO_REMOTE: RemoteConfig = { hash: "", files: [] };

function onProbation({ base, offers, policy, probation, returning }: State): RemoteConfig | null {
  // Without going back there is no probation; then it is what runs after a newer offer was refused.
  if (!policy.rollsBack) return base.remote === offers.lastReceived ? null : (base.remote ?? NO_REMOTE);
  // While it is brought back it is still what it was.
  const remote = returning ?? (probation?.of === "offer" ? probation.build.remote : null);
  return remote === offers.lastReceived ? null : remote;
}

/** The newest offer from its receipt to the end of its probation. Also one that kills the supervisor while it is prepared counts. */
function trial(state: State): Trial | null {
  const { closing, interrupted } = state;
  const subject = subjectOf(state);
  if (subject === null) return null;
  const lives = interrupted?.of === subject.of && interrupted.hash === subject.hash ? interrupted.lives : 1;
  // A clean end is no death.
  return { ...subject, lives: closing === null ? lives : lives - 1 };
}

/** One at a time: what the server offers comes before what changed on the host. */
function subjectOf({ probation, returning, rollout, waiting }: State): Omit<Trial, "lives"> | null {
  const applied = probation?.of === "offer" ? probation.hash : undefined;
  const hash = waiting?.offer.hash ?? (rollout.is === "idle" ? (returning?.hash ?? applied) : rollout.offer.hash);
  if (hash !== undefined) return { of: "offer", hash };
  return probation?.of === "base" ? { of: "base", hash: probation.build.prepared.digest } : null;
}

/** Parts are replaced, never changed in place, so their identity tells. */
export function sameMemory(a: Memory, b: Memory): boolean {
  return (
    a.instanceUid === b.instanceUid &&
    a.lastReceived === b.lastReceived &&
    a.lastWorking === b.lastWorking &&
    a.status === b.status &&
    a.isTriedAgain === b.isTriedAgain &&
    a.trial?.of === b.trial?.of &&
    a.trial?.hash === b.trial?.hash &&
    a.trial?.lives === b.trial?.lives &&
    a.onProbation === b.onProbation &&
    a.failures === b.failures &&
    a.proven === b.proven
  );
}
