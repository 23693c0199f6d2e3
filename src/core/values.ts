/**
 * The values that travel between the core and the edges. Plain data, no behaviour. Wire types stop at the door: the
 * messages of `gen/` appear here as types only, for opaque values that the core passes on without looking into them.
 */
import type {
  AgentDescription,
  AvailableComponents,
  ComponentHealth,
} from "../gen/opamp/v1/opamp_pb.js";

/** Milliseconds; as a point in time monotonic, never the wall clock. */
export type Millis = number;

/** Bytes as lower-case hexadecimal text, "" for none. */
export type Hex = string;

/** One object of a remote configuration. `name` is chosen by the server and may be "" or hostile: never a path. */
export interface RemoteFile {
  readonly name: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly role: string;
}

/** A remote configuration as it was offered (AgentRemoteConfig with `config` set). */
export interface RemoteConfig {
  /** The server's hash: opaque, echoed, never recomputed; "" when the server sent none. */
  readonly hash: Hex;
  /** Names are unique; the order is that of the wire and means nothing. Empty = "no remote configuration". */
  readonly files: readonly RemoteFile[];
}

/** The outcome of the newest offer, as the server is told it and as `persistent_state.yaml` holds it. */
export interface RemoteStatus {
  readonly is: "applying" | "applied" | "failed";
  readonly hash: Hex;
  /** The cause of a `failed`, else "". */
  readonly error: string;
  /** That failed after it was put in the place of what ran, now or before: so it matters what runs by now. */
  readonly wasTried?: boolean;
  /** The Collector's last words, where they are asked for. */
  readonly tail?: string;
}

/** A composed configuration: the same bytes are validated, written, run, reported and kept. */
export interface Prepared {
  /** SHA-256 of `text` without the instance uid: what is known of a configuration outlives a new identity. */
  readonly digest: Hex;
  readonly text: string;
  /** False when nothing remains to run: no pipelines and no extension but ours (decided on the merged result). */
  readonly runs: boolean;
  /** The `hash` of the remote configuration that took part, null for none. */
  readonly remoteHash: Hex | null;
}

/** What is known of a Collector executable without running a configuration. */
export interface ExecutableFacts {
  /** Path, device, inode, size and mtime: changes when the binary does. */
  readonly identity: string;
  /** `buildinfo.command` of its `components` command, e.g. "otelcol-contrib". */
  readonly name: string;
  /** `buildinfo.version`, e.g. "0.149.0". */
  readonly version: string;
  /** Its `featuregate` command lists `service.AllowNoPipelines`. */
  readonly allowsNoPipelines: boolean;
  /** Which form of `service.telemetry.resource` it accepts: inline keys, or the list under `attributes`. */
  readonly resourceForm: "inline" | "list";
}

/** What the extension reported in the last run with one executable, remembered so that no throw-away run is needed. */
export interface RememberedFacts {
  readonly executable: ExecutableFacts;
  readonly description: AgentDescription | null;
  readonly components: AvailableComponents | null;
}

/** A prepared configuration with where it came from: what a trial tries, and what a proof proves. */
export interface Build {
  readonly prepared: Prepared;
  /** The remote configuration that took part, null for none. */
  readonly remote: RemoteConfig | null;
  /** The identity it was composed for. */
  readonly instanceUid: string;
}

/** A wanted run. The turn number grows with each restart command, so that "again" is a different run. */
export interface Run {
  readonly turn: number;
  readonly build: Build;
}

/** How a process ended. Exactly one of `code` and `signal` is set. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Whether the kernel ended it for want of memory, and how sure that is: its own group counted it, or only the host did. */
  readonly memoryKill: "none" | "cgroup" | "host";
  /** The last lines of its output, already redacted and bounded; "" when there are none. */
  readonly tail: string;
}

/** What the extension's health messages amount to for one link. */
export type Verdict = "starting" | "healthy" | "unhealthy" | "stopping";

/** One file of the effective configuration, already redacted. */
export interface EffectiveFile {
  readonly name: string;
  readonly body: Uint8Array;
  readonly contentType: string;
}

export type { AgentDescription, AvailableComponents, ComponentHealth };
