/**
 * How the course of an offer ends. Every offer that is not superseded ends in exactly one APPLIED or FAILED for its hash:
 * these functions are the only writers of a final status.
 */
import { REASON_CHARS_MAX } from "./limits.js";
import { sameBuild, shortHash } from "./run.js";
import type { State, Wanted } from "./state.js";
import type { Build, Hex, Millis, RemoteStatus } from "./values.js";

/** The configuration ran healthy: it becomes the one to return to. */
export function prove(state: State, build: Build): State {
  const { base, executable, offers } = state;
  const proven =
    executable.is === "known"
      ? { digest: build.prepared.digest, executable: executable.facts.identity }
      : offers.proven;
  const unchanged = base.build !== null && sameBuild(base.build, build) && base.remote === build.remote;
  return {
    ...state,
    base: unchanged
      ? { ...base, refusal: "" }
      : {
          from: build.remote === null ? "local" : "last-received",
          remote: build.remote,
          build,
          preparing: 0,
          refusal: "",
          retryAt: base.retryAt,
        },
    offers: {
      ...offers,
      lastWorking: build.remote ?? offers.lastWorking,
      proven: proven?.digest === offers.proven?.digest && proven?.executable === offers.proven?.executable ? offers.proven : proven,
    },
  };
}

/** The trial succeeded. `build` is proven and its offer, unless superseded, APPLIED. */
export function applyTrial(state: State, build: Build, hash: Hex): State {
  return conclude({ ...prove(state, build), rollout: { is: "idle" } }, { is: "applied", hash, error: "" });
}

/** The trial failed after the swap: what worked before is wanted again. `output` are the Collector's last lines. */
export function failTrial(state: State, reason: string, output = ""): State {
  const { rollout } = state;
  if (rollout.is !== "trying") return state;
  const error = bounded(withOutput(`${reason}; ${successor(state)}`, output));
  return wantBase(
    conclude({ ...state, rollout: { is: "idle" } }, { is: "failed", hash: rollout.offer.hash, error }),
    `configuration ${shortHash(rollout.offer.hash)} failed`,
  );
}

/** The offer was refused before anything was stopped. */
export function refuseOffer(state: State, reason: string): State {
  const { rollout } = state;
  if (rollout.is !== "preparing") return state;
  const error = bounded(reason);
  const concluded = conclude({ ...state, rollout: { is: "idle" } }, { is: "failed", hash: rollout.offer.hash, error });
  // An earlier trial that was superseded before its proof may still be running.
  return wantBase(concluded, `configuration ${shortHash(rollout.offer.hash)} was refused`);
}

/** Sets the outcome of the newest offer; an offer that was superseded gets none. */
export function conclude(state: State, status: RemoteStatus): State {
  if (state.waiting !== null || state.offers.status?.hash !== status.hash) return state;
  return { ...state, offers: { ...state.offers, status } };
}

/** Wants what runs when no trial is in force. */
export function wantBase(state: State, because: string): State {
  const { base } = state;
  if (base.build !== null) return { ...state, wanted: wantedBy(state, base.build, because) };
  if (state.wanted.is === "nothing") return state;
  return { ...state, wanted: { is: "nothing", because: "the configuration is being prepared", fine: false } };
}

/** A build as what is wanted; one with nothing in it to run wants nothing, and that is fine. */
export function wantedBy(state: State, build: Build, because: string): Wanted {
  return build.prepared.runs
    ? { is: "run", run: { turn: state.turn, build }, because }
    : { is: "nothing", because: "the configuration has nothing to run", fine: true };
}

/** The base could not be prepared: the next way down, and the truth about it to the server. */
export function stepDown(state: State, reason: string, retryAt: Millis): State {
  const { base, offers } = state;
  const error = bounded(reason);
  if (base.build !== null) {
    // Only a new identity made it necessary; what runs is kept, and not tried again for this identity.
    const build = { ...base.build, instanceUid: state.instanceUid };
    return { ...state, base: { ...base, build, preparing: 0, refusal: error } };
  }
  const next = { build: null, preparing: 0, refusal: error, retryAt: base.retryAt };
  if (base.from === "local") {
    return {
      ...state,
      base: { ...base, ...next, retryAt },
      wanted: { is: "nothing", because: `no configuration can run: ${error}`, fine: false },
    };
  }
  const refused =
    offers.status?.is === "applied" && offers.status.hash === base.remote?.hash
      ? { ...state, offers: { ...offers, status: { is: "failed" as const, hash: offers.status.hash, error } } }
      : state;
  const working = base.from === "last-received" && offers.lastWorking !== null && offers.lastWorking.hash !== base.remote?.hash;
  return working
    ? { ...refused, base: { from: "last-working", remote: offers.lastWorking, ...next } }
    : { ...refused, base: { from: "local", remote: null, ...next } };
}

/** The cause stands in front, where a cut cannot reach it. */
export function withOutput(reason: string, output: string): string {
  return output === "" ? reason : `${reason}; its last output:\n${output}`;
}

function successor(state: State): string {
  const { base } = state;
  if (base.remote === null) return "the local configuration runs instead";
  return `configuration ${shortHash(base.remote.hash)}, which worked before, runs instead`;
}

function bounded(reason: string): string {
  return reason.length <= REASON_CHARS_MAX ? reason : `${reason.slice(0, REASON_CHARS_MAX)} ...`;
}
