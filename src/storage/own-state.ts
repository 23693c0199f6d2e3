/**
 * `opampsupervisor_state.json`: what the Go supervisor has no field for. It repeats identity and status, so that a
 * damaged `persistent_state.yaml` costs nothing, and it says which received configuration each version of that file
 * speaks of, so that a supervisor that died between two files is noticed.
 */
import type { Failure, Proven } from "../core/memory.js";
import type { Trial } from "../core/trials.js";
import type { RemoteStatus } from "../core/values.js";
import { PERSISTENT_STATE_BYTES_MAX, wholeText } from "./persistent-state.js";
import { parseUuid } from "./uuid.js";

/** As much as `persistent_state.yaml`, whose status it repeats, and what failed. */
export const OWN_STATE_BYTES_MAX = PERSISTENT_STATE_BYTES_MAX + 4 * 1024 * 1024;
/** What is under way, what comes back before it, and what waits: more than there ever are. */
const TRIALS_MAX = 8;
/** Versions of `persistent_state.yaml` that may be on disk when saving failed again and again. */
export const VERSIONS_MAX = 8;

export interface OwnState {
  readonly instanceUid: string;
  readonly status: RemoteStatus | null;
  /** That status is FAILED, and the configuration is tried again. */
  readonly isTriedAgain: boolean;
  readonly proven: ProvenRecord | null;
  readonly trials: readonly Trial[];
  readonly failures: readonly Failure[];
  /** Oldest first; the last one belongs to `instanceUid` and `status`. */
  readonly versions: readonly StateVersion[];
}

/** The text itself lies in a file of its own; this says which one belongs to it. */
export interface ProvenRecord extends Omit<Proven, "text"> {
  /** SHA-256 of that file, "" for none. */
  readonly textDigest: string;
}

/** SHA-256 of a version of `persistent_state.yaml`, and of the received configuration that its status is about. */
export interface StateVersion {
  readonly state: string;
  /** "" for none. */
  readonly received: string;
  /** SHA-256 of the configuration on probation that goes with it, "" for none; null where an earlier release wrote it. */
  readonly onProbation: string | null;
}

const FORMAT_VERSION = 1;

export function renderOwnState({ instanceUid, isTriedAgain, proven, trials, versions, ...own }: OwnState): string {
  const status = own.status && { ...own.status, error: wholeText(own.status.error), ...(own.status.tail === undefined ? {} : { tail: wholeText(own.status.tail) }) };
  const failures = own.failures.map((failure) => ({ ...failure, reason: wholeText(failure.reason) }));
  return `${JSON.stringify({ version: FORMAT_VERSION, instanceUid, status, isTriedAgain, proven, trials, failures, versions }, null, 2)}\n`;
}

/** Unknown fields are fine: a later version may have written them. Throws for anything that makes no sense. */
export function parseOwnState(bytes: Uint8Array): OwnState {
  const root = objectOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "the file");
  const instanceUid = parseUuid(stringOf(root, "instanceUid"));
  if (instanceUid === null) throw new Error("instanceUid is not a UUID");
  if (typeof root["version"] !== "number") throw new Error("version is not a number");
  const { status, proven, versions, trials = [], failures = [] } = root;
  if (!Array.isArray(versions)) throw new Error("versions is not a list");
  if (!Array.isArray(trials)) throw new Error("trials is not a list");
  if (!Array.isArray(failures)) throw new Error("failures is not a list");
  return {
    instanceUid,
    status: status === null ? null : statusOf(objectOf(status, "status")),
    isTriedAgain: root["isTriedAgain"] === true,
    proven: proven === null ? null : provenOf(objectOf(proven, "proven"), instanceUid),
    trials: trials.slice(0, TRIALS_MAX).map((entry: unknown) => trialOf(objectOf(entry, "an entry of trials"))),
    failures: failures.map((entry: unknown) => failureOf(objectOf(entry, "an entry of failures"))),
    versions: versions.slice(-VERSIONS_MAX).map((entry: unknown) => {
      const version = objectOf(entry, "an entry of versions");
      const { onProbation = null } = version;
      return { state: stringOf(version, "state"), received: stringOf(version, "received"), onProbation: onProbation === null ? null : hexOf(version, "onProbation") };
    }),
  };
}

function statusOf(status: Fields): RemoteStatus {
  const is = stringOf(status, "is");
  if (is !== "applying" && is !== "applied" && is !== "failed") throw new Error("status.is is unknown");
  const { tail, wasTried } = status;
  return {
    is,
    hash: hexOf(status, "hash"),
    error: stringOf(status, "error"),
    ...(wasTried === true ? { wasTried } : {}),
    ...(typeof tail === "string" && tail !== "" ? { tail } : {}),
  };
}

/** The first version of this file had neither text nor where it came from. */
function provenOf(proven: Fields, instanceUid: string): ProvenRecord {
  const { remoteHash = null } = proven;
  return {
    digest: hexOf(proven, "digest"),
    executable: stringOf(proven, "executable"),
    instanceUid: "instanceUid" in proven ? stringOf(proven, "instanceUid") : instanceUid,
    remoteHash: remoteHash === null ? null : hexOf(proven, "remoteHash"),
    textDigest: "textDigest" in proven ? hexOf(proven, "textDigest") : "",
  };
}

function trialOf(trial: Fields): Trial {
  const { lives } = trial;
  if (typeof lives !== "number" || !Number.isInteger(lives)) throw new Error("lives of a trial is not a whole number");
  const of = trial["of"] === "base" ? "base" : "offer";
  const known = { of, hash: hexOf(trial, "hash"), digest: hexOf(trial, "digest"), executable: stringOf(trial, "executable"), lives } as const;
  return "until" in trial ? { ...known, until: stringOf(trial, "until") } : known;
}

function failureOf(failure: Fields): Failure {
  return {
    digest: hexOf(failure, "digest"),
    executable: stringOf(failure, "executable"),
    hash: hexOf(failure, "hash"),
    reason: stringOf(failure, "reason"),
    version: "version" in failure ? stringOf(failure, "version") : "",
    at: "at" in failure ? stringOf(failure, "at") : "",
    isDeadly: failure["isDeadly"] === true,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return value as Fields;
}

function stringOf(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== "string") throw new Error(`${key} is not a string`);
  return value;
}

function hexOf(fields: Fields, key: string): string {
  const value = stringOf(fields, key);
  if (!/^(?:[0-9a-f]{2})*$/.test(value)) throw new Error(`${key} is not hexadecimal`);
  return value;
}
