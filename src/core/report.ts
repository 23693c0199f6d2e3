/**
 * What the server should believe: a projection of the state. The session with the server compares it with what was last
 * told on this connection and sends only the difference, so nobody can forget to report.
 */
import type {
  AgentDescription,
  AvailableComponents,
  ComponentHealth,
  EffectiveFile,
  RemoteStatus,
} from "./values.js";

export interface Report {
  /** UUID in canonical text. */
  readonly instanceUid: string;
  readonly capabilities: bigint;
  readonly description: ReportedDescription;
  readonly health: ReportedHealth;
  /** Null: nothing to report yet. Bodies are already redacted. */
  readonly effectiveConfig: readonly EffectiveFile[] | null;
  readonly remoteConfig: ReportedStatus;
  /** Full map with its hash; the session sends the hash alone until it is asked. Null: not known yet. */
  readonly components: AvailableComponents | null;
}

/** `opamp/description.ts` makes the message of it: the Collector's own words or the executable's facts, then overrides. */
export interface ReportedDescription {
  readonly collector: AgentDescription | null;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly identifyingOverrides: Readonly<Record<string, string>>;
  readonly nonIdentifyingOverrides: Readonly<Record<string, string>>;
}

/** The top of the health tree. `collector` lends its children (and status) while the Collector runs. */
export interface ReportedHealth {
  readonly healthy: boolean;
  readonly status: string;
  readonly lastError: string;
  /** 0n while the Collector is not running. */
  readonly startTimeUnixNano: bigint;
  readonly collector: ComponentHealth | null;
}

export interface ReportedStatus {
  /** Null: nothing was ever received, told as UNSET. */
  readonly status: RemoteStatus | null;
  /** Grows when a known status is to be told once more although it did not change. */
  readonly repeat: number;
}
