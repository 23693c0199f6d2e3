/**
 * What the server should believe: a projection of the state. The session with the server compares it with what was last
 * told on this connection and sends only the difference, so nobody can forget to report.
 */
import { instead } from "./instead.js";
import { nameOfRung } from "./ladder.js";
import { alive, nameOfBase, shortHash } from "./run.js";
import type { State } from "./state.js";
import type {
  AgentDescription,
  AvailableComponents,
  ComponentHealth,
  EffectiveFile,
  RemoteConfig,
  RemoteStatus,
} from "./values.js";
import { withLogTail } from "../lib/log-tail.js";

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
  /** The supervisor's own part of the tree, flat so that it is cheap to compare. */
  readonly process: string;
  readonly rollout: string;
  /** Why what should run does not; "" while it does. */
  readonly rolloutError: string;
  /** How often the connection to the server was lost in this life, and why the last time. */
  readonly losses: number;
  readonly lossError: string;
  /** "" while the storage directory can be written. */
  readonly storageError: string;
}

export interface ReportedStatus {
  /** Null: nothing was ever received, told as UNSET. */
  readonly status: RemoteStatus | null;
  /** What is told of a FAILED: its cause, what runs instead by now, and the Collector's own words. "" for none. */
  readonly error: string;
  /** Grows when a known status is to be told once more although it did not change. */
  readonly repeat: number;
}

/** Null until the first message can be complete: before the executable is known, or known to be unknowable. */
export function report(state: State): Report | null {
  const { executable, offers, policy, process, said } = state;
  if (executable.is === "unknown" || executable.is === "describing") return null;
  const facts = executable.is === "known" ? executable.facts : null;
  const status = toldStatus(state);
  return {
    instanceUid: state.instanceUid,
    capabilities: policy.capabilities,
    description: {
      collector: said.description,
      serviceName: facts?.name ?? "",
      serviceVersion: facts?.version ?? "",
      identifyingOverrides: policy.identifyingAttributes,
      nonIdentifyingOverrides: policy.nonIdentifyingAttributes,
    },
    health: health(state),
    effectiveConfig: process.is === "down" ? shown(state) : (said.files ?? shown(state)),
    remoteConfig: { status, error: toldError(state, status), repeat: offers.repeats },
    components: said.components,
  };
}

/** The cause, what runs instead by now, and the Collector's own words; "" for no failure. */
export function toldError(state: State, status: RemoteStatus | null): string {
  const { error = "", tail = "" } = status ?? {};
  const runs = instead(state, status);
  return withLogTail(runs === "" ? error : `${error}; ${runs}`, tail);
}

/** A final status that is not on disk could be forgotten and turn into another: while saving fails, the last one on disk is told. */
function toldStatus(state: State): RemoteStatus | null {
  const { offers, storage } = state;
  const forgettable = storage.is === "failing" && offers.status?.is !== "applying" && offers.status !== offers.unsavedStatus;
  return forgettable ? offers.savedStatus : offers.status;
}

/** The server believes that what it offered runs, and cannot be told yet that it does not: so healthy would be a lie. */
function whyUntold(state: State): string {
  const { status } = state.offers;
  if (status?.is !== "failed" || toldStatus(state)?.is !== "applied") return "";
  return `configuration ${shortHash(status.hash)} failed, which cannot be stored yet: ${toldError(state, status)}`;
}

function health(state: State): ReportedHealth {
  const { process, said, wanted } = state;
  const running = alive(process);
  const base = {
    startTimeUnixNano: running?.startTimeUnixNano ?? 0n,
    collector: running === null ? null : said.health,
    process: process.is === "down" && process.held ? "held" : process.is,
    rollout: rolloutState(state),
    rolloutError: whyStandIn(state),
    losses: state.server.losses,
    lossError: state.server.error,
    storageError: state.storage.is === "failing" ? state.storage.error : "",
  };
  switch (process.is) {
    case "healthy": {
      const lastError = isLess(state) ? base.rolloutError : whyUntold(state);
      return { healthy: lastError === "", status: said.health?.status ?? "", lastError, ...base };
    }
    case "unhealthy":
      return { healthy: false, status: said.health?.status ?? "", lastError: process.error, ...base };
    case "starting":
      return { healthy: false, status: "starting", lastError: process.late ? SILENT : whyStarting(process.after), ...base };
    case "stopping":
      return { healthy: false, status: "stopping", lastError: "the Collector is being stopped", ...base };
    case "down":
      if (wanted.is === "nothing" && wanted.fine && state.closing === null && state.standIn === null) {
        return { healthy: true, status: `not running: ${wanted.because}`, lastError: "", ...base };
      }
      return { healthy: false, status: "down", lastError: whyDown(state), ...base };
  }
}

function rolloutState({ probation, rollout, standIn, waiting }: State): string {
  if (rollout.is !== "idle") return rollout.is;
  if (waiting !== null) return "waiting";
  if (standIn !== null && probation?.of !== "offer") return standIn.isTrying ? "trying again" : "standing in";
  return probation === null ? "idle" : "on probation";
}

/** Why something else runs than what should, and what. */
export function whyStandIn(state: State): string {
  const { base, standIn, probation, rollout } = state;
  const late = comesLate(state);
  if (late !== null) return `configuration ${shortHash(late.hash)} cannot be brought back yet, ${nameOfBase(state)} runs instead, and it is tried again`;
  const isOffer = rollout.is === "trying" || probation?.of === "offer";
  if (standIn === null || isOffer) {
    if (base.refusal === "" || (isOffer && base.build === null)) return "";
    if (base.build !== null) return `the changed local files are not in use: ${base.refusal}`;
    return `${nameOfBase(state)} does not run, what ran before runs on, and it is tried again: ${base.refusal}`;
  }
  const name = nameOfRung(standIn.from);
  const verb = standIn.build === null ? "is being prepared" : "runs";
  const instead = standIn.isTrying ? "it is being tried again" : `${name} ${verb} instead, and it is tried again`;
  return `${nameOfBase(state)} does not run, ${instead}: ${standIn.reason}`;
}

/**
 * Something stands in, or what ran before runs on; and what runs is neither what should run (also as it was proven, since
 * that is all that the server wants) nor an offer that is being tried or proven: healthy would be a lie.
 */
function isLess(state: State): boolean {
  const { base, offers: { proven }, probation, process, rollout, standIn } = state;
  if (comesLate(state) !== null) return process.is !== "down";
  const isRefused = base.build === null && base.refusal !== "";
  if (process.is === "down" || (standIn === null && !isRefused)) return false;
  const { digest } = process.run.build.prepared;
  const asProven = proven !== null && proven.remoteHash === (base.remote?.hash ?? null) ? proven.digest : undefined;
  const tried = rollout.is === "trying" ? rollout.build : probation?.of === "offer" ? probation.build : null;
  return ![base.build?.prepared.digest, asProven, tried?.prepared.digest].includes(digest);
}

/** What was applied in the last life, and cannot begin yet. */
function comesLate({ returning, rollout }: State): RemoteConfig | null {
  return returning?.isLate === true && rollout.is !== "trying" ? returning.offer : null;
}

const SILENT =
  "the Collector runs, but its opamp extension has not reported within agent.bootstrap_timeout; see agent.log in the storage directory";

function whyStarting(after: string): string {
  return after === "" ? "the Collector is starting" : `the Collector is being restarted: ${after}`;
}

export function whyHeld({ process, restarts }: State): string {
  return `held after ${restarts.crashes} crashes in a row, tried again slowly: ${process.is === "down" ? process.error : ""}`;
}

function whyDown(state: State): string {
  const { executable, process, wanted } = state;
  if (state.closing !== null) return `the supervisor is shut down: ${state.closing}`;
  if (process.is === "down" && process.held) return whyHeld(state);
  if (process.is === "down" && process.error !== "") return process.error;
  if (state.standIn !== null && wanted.is === "nothing") return whyStandIn(state);
  if (executable.is === "failing") return executable.error;
  if (wanted.is === "nothing") return wanted.because;
  return "the Collector is starting";
}

/** Before the Collector reported its own: the text that it was given, and for a stopped one what it would be given. */
function shown(state: State): readonly EffectiveFile[] | null {
  const { base, process, wanted } = state;
  const stopped = wanted.is === "run" ? wanted.run.build : base.build;
  const build = process.is === "down" ? stopped : process.run.build;
  return state.shown.find(({ digest }) => digest === build?.prepared.digest)?.files ?? null;
}
