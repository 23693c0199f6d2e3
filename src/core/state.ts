/**
 * All that the supervisor believes. Each part is a tagged union that carries its own data; what is *wanted* is a
 * different field from what *is*, so that restart, rollback and shutdown are only changes of what is wanted.
 */
import type { Policy } from "./policy.js";
import type { Failure, Proven } from "./memory.js";
import type { Trial } from "./trials.js";
import type {
  AgentDescription,
  AvailableComponents,
  Build,
  ComponentHealth,
  EffectiveFile,
  ExecutableFacts,
  Hex,
  Millis,
  RemoteConfig,
  RemoteStatus,
  Run,
} from "./values.js";

export interface State {
  readonly policy: Policy;
  readonly instanceUid: string;
  readonly process: Process;
  readonly wanted: Wanted;
  readonly base: Base;
  /** What runs in place of the base while that cannot run; null while nothing is wrong with it. */
  readonly standIn: StandIn | null;
  readonly rollout: Rollout;
  /** What is applied, but not good yet. */
  readonly probation: Probation | null;
  /** The trials that the last life left behind. */
  readonly interrupted: readonly Trial[];
  /** By when what is under way will be decided. */
  readonly deadline: { readonly of: Trial["of"]; readonly hash: Hex; readonly until: string } | null;
  /** The newest offer, while it waits for its turn. */
  readonly waiting: Waiting | null;
  /** What was applied in the last life and is not good yet, until it is healthy again or has failed. What waits comes after it. */
  readonly returning: Returning | null;
  readonly offers: Offers;
  readonly restarts: Restarts;
  readonly executable: Executable;
  readonly server: Server;
  readonly storage: Storage;
  readonly said: Said;
  /** The newest prepared configuration in the form that may be shown, first, and those that may be returned to. */
  readonly shown: readonly Shown[];
  /** When a new identity may restart the Collector again. */
  readonly renameAt: Millis;
  /** When the server's last restart command was obeyed. */
  readonly restartedAt: Millis | null;
  /** Set once by a shutdown request; then nothing is wanted any more. */
  readonly closing: string | null;
  readonly finished: boolean;
  /** The last numbers given out. */
  readonly turn: number;
  readonly attempt: number;
  readonly ticket: number;
  /** The newest connection of a Collector's extension that was heard of. */
  readonly lastLink: number;
}

export type Process =
  | {
      readonly is: "down";
      /** When it may start again: now, or after a crash the end of the pause. */
      readonly restartAt: Millis;
      /** Why it is down, for people; "" when it never ran or was stopped on purpose. */
      readonly error: string;
      /** It crashed so often that it is tried again only slowly. */
      readonly held: boolean;
    }
  | ({
      readonly is: "starting";
      /** Its reload is asked for and not done: until then it runs what it ran before. */
      readonly isReloading?: boolean;
      readonly late: boolean;
      readonly lateAt: Millis;
      /** Why the process before it ended, "" when that was on purpose. */
      readonly after: string;
    } & Alive)
  | ({ readonly is: "healthy"; readonly since: Millis } & Alive)
  | ({ readonly is: "unhealthy"; readonly error: string } & Alive)
  | ({ readonly is: "stopping" } & Alive);

export interface Alive {
  readonly attempt: number;
  readonly run: Run;
  /** News of links below this number is about the time before a reload. */
  readonly linkMin: number;
  /** The identity of the executable that was known at its start. */
  readonly executable: string;
  /** 0n until the process has reported its start. */
  readonly startTimeUnixNano: bigint;
}

export type Wanted =
  | { readonly is: "nothing"; readonly because: string; /** It is right that nothing runs. */ readonly fine: boolean }
  | { readonly is: "run"; readonly run: Run; readonly because: string };

/** What should run when no trial is in force. What runs while it cannot is the stand-in. */
export interface Base {
  /** `fallback` only before the server was ever reached. */
  readonly from: "last-received" | "last-working" | "fallback" | "local";
  readonly remote: RemoteConfig | null;
  readonly build: Build | null;
  /** The ticket of the preparation that is on its way, 0 for none. */
  readonly preparing: number;
  /** Why the last preparation was refused; "" for none. */
  readonly refusal: string;
  readonly retryAt: Millis;
  /** The local files are to be read again. */
  readonly isStale: boolean;
}

/** A step on the way down from the base. */
export type Rung = "last-working" | "as-proven" | "fallback" | "local";

/** The base was refused or crashes: a step below it runs, and the base is tried again now and then. */
export interface StandIn {
  readonly from: Rung;
  /** Null until it is prepared. */
  readonly build: Build | null;
  /** The ticket of the preparation that is on its way, 0 for none. */
  readonly preparing: number;
  /** Why the base does not run. */
  readonly reason: string;
  /** It is to be composed again, from local files that may have changed; what runs is kept where that is refused. */
  readonly isStale: boolean;
  /** How often the base was tried again in vain. */
  readonly tries: number;
  readonly retryAt: Millis;
  /** The base is being tried again: one crash is enough to come back. */
  readonly isTrying: boolean;
}

/** The course of one offer from its first act to its outcome. */
export type Rollout =
  | { readonly is: "idle" }
  | { readonly is: "preparing"; readonly offer: RemoteConfig; readonly ticket: number }
  | { readonly is: "trying"; readonly offer: RemoteConfig; readonly build: Build; readonly giveUpAt: Millis | null };

/** What was healthy once has to stay so for a while, in one stretch, before it is good. */
export interface Probation {
  /** The server's offer, or the base with local files or an executable that changed, or after it could not run. */
  readonly of: "offer" | "base";
  readonly build: Build;
  /** That of the remote configuration, "" for none. */
  readonly hash: Hex;
  /** The end of the stretch; null while it is not healthy. */
  readonly endsAt: Millis | null;
  /** Since when it is not healthy; null while it is, and while a newer configuration is tried in its place. */
  readonly sickSince: Millis | null;
  readonly crashes: number;
  readonly flips: number;
}

export interface Returning {
  readonly offer: RemoteConfig;
  /** That it is on trial is on disk. Nothing starts before. */
  readonly durable: boolean;
  readonly actAt: Millis;
  /** It could not begin: what is good runs until it can. */
  readonly isLate: boolean;
}

export interface Waiting {
  readonly offer: RemoteConfig;
  /** The offer is on disk, and that it is on trial now. Nothing starts before. */
  readonly durable: boolean;
  readonly actAt: Millis;
  readonly firstAt: Millis;
}

/** What is known of the server's offers, and the newest one's outcome. */
export interface Offers {
  readonly lastReceived: RemoteConfig | null;
  readonly lastWorking: RemoteConfig | null;
  readonly status: RemoteStatus | null;
  /** The last status that is on disk for certain: while saving fails, only this one is told. */
  readonly savedStatus: RemoteStatus | null;
  /** What is saved where there is no room for the newest offer. */
  readonly stored: Stored;
  /** The FAILED of an offer that could not be saved: the one final status that is told without being on disk. */
  readonly unsavedStatus: RemoteStatus | null;
  readonly proven: Proven | null;
  readonly failures: readonly Failure[];
  readonly lastOfferAt: Millis | null;
  /** How often the newest offer failed for a reason that was not in it: a missing executable, a full disk. */
  readonly blameless: number;
  /** When it is tried again for that without being offered again; null: its outcome is its own. */
  readonly againAt: Millis | null;
  /** Somebody asked for another try: a failed hash may be offered again. */
  readonly isForgotten: boolean;
  /** When a restart command last counted as such a wish. */
  readonly forgottenAt: Millis | null;
  /** How often a known status was repeated, and when last. */
  readonly repeats: number;
  readonly repeatedAt: Millis | null;
}

/** An offer with its outcome. */
export interface Stored {
  readonly received: RemoteConfig | null;
  readonly status: RemoteStatus | null;
  /** That is FAILED, and it is tried again. */
  readonly isTriedAgain: boolean;
}

export interface Restarts {
  /** Crashes in a row that no stable run has wiped out. */
  readonly crashes: number;
  /** The digests of what crashed since then: a step back to one of them is no fresh start. */
  readonly crashed: readonly Hex[];
}

export type Executable =
  | { readonly is: "unknown" }
  | { readonly is: "describing" }
  | { readonly is: "known"; readonly facts: ExecutableFacts }
  | { readonly is: "failing"; readonly error: string; readonly retryAt: Millis };

/** The connection to the management server. Nothing but the startup fallback depends on it. */
export interface Server {
  readonly isConnected: boolean;
  /** It was connected in this life: that ends the startup fallback for good. */
  readonly wasReached: boolean;
  /** How many connections were lost in this life, and why the last one was. */
  readonly losses: number;
  readonly error: string;
}

export type Storage =
  | { readonly is: "working" }
  | { readonly is: "failing"; readonly error: string; readonly retryAt: Millis };

export interface Shown {
  readonly digest: Hex;
  readonly files: readonly EffectiveFile[];
}

/** What the Collector's extension said last; the facts outlive the process, the rest belongs to one attempt. */
export interface Said {
  readonly description: AgentDescription | null;
  readonly components: AvailableComponents | null;
  readonly health: ComponentHealth | null;
  readonly files: readonly EffectiveFile[] | null;
}
