/**
 * When the Collector may start again after it ended by itself: at once the first time, then after growing, jittered
 * pauses with a cap, and after many crashes in a row it is held: one try at a time, far apart. A long healthy run wipes
 * the slate clean.
 */
import {
  HOLD_CRASHES,
  HOLD_RETRY_MS,
  RESTART_DELAY_MS,
  RESTART_DELAY_MS_MAX,
  RESTART_JITTER,
  STABLE_RUN_MS,
} from "./limits.js";
import type { Process, Restarts } from "./state.js";
import type { Millis } from "./values.js";

export interface RestartPlan {
  readonly restarts: Restarts;
  readonly restartAt: Millis;
  readonly held: boolean;
}

export const NO_RESTARTS: Restarts = { crashes: 0, crashed: [] };

/** It was healthy for so long that earlier crashes do not count any more. */
export function isStable(process: Process, now: Millis): boolean {
  return process.is === "healthy" && now - process.since >= STABLE_RUN_MS;
}

/** A wait that doubles with each time, up to a cap. */
export function doubled(first: Millis, times: number, most: Millis): Millis {
  return Math.min(first * 2 ** Math.min(times, 30), most);
}

/** @param random in [0, 1), from the loop: the core has no randomness of its own. */
export function planRestart(restarts: Restarts, process: Process, now: Millis, random: number): RestartPlan {
  const { crashed, crashes } = isStable(process, now) ? NO_RESTARTS : restarts;
  const digest = process.is === "down" ? "" : process.run.build.prepared.digest;
  return {
    restarts: { crashes: crashes + 1, crashed: crashed.includes(digest) ? crashed : [...crashed, digest] },
    restartAt: now + restartDelayMs(crashes, random),
    held: crashes + 1 >= HOLD_CRASHES,
  };
}

/** The pause before restart number `crashes + 1` in a row. */
export function restartDelayMs(crashes: number, random: number): Millis {
  if (crashes === 0) return 0;
  const growing = doubled(RESTART_DELAY_MS, crashes - 1, RESTART_DELAY_MS_MAX);
  const full = crashes + 1 >= HOLD_CRASHES ? HOLD_RETRY_MS : growing;
  return full * (1 - RESTART_JITTER * random);
}
