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
  /** The composed configuration that last ran healthy and with which executable; it needs no validation to run again. */
  readonly proven: Proven | null;
}

export interface Proven {
  readonly digest: Hex;
  readonly executable: string;
}

/** The projection of the state that has to be on disk before anything follows from it. */
export function memory(state: State): Memory {
  const { instanceUid, offers } = state;
  const { lastReceived, lastWorking, status, proven } = offers;
  return { instanceUid, lastReceived, lastWorking, status, proven };
}

/** Parts are replaced, never changed in place, so their identity tells. */
export function sameMemory(a: Memory, b: Memory): boolean {
  return (
    a.instanceUid === b.instanceUid &&
    a.lastReceived === b.lastReceived &&
    a.lastWorking === b.lastWorking &&
    a.status === b.status &&
    a.proven === b.proven
  );
}
