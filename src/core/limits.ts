/** The named bounds of the core's decisions, each with its unit last and its reason. */

/** After a first offer, the next one waits until offers pause for this long ... */
export const OFFER_PAUSE_MS = 150;
/** ... but never longer than this after the first that waits. */
export const OFFER_WAIT_MS_MAX = 2_000;
/** An offer that comes at least this long after the one before it is the first of a burst and acts at once. */
export const OFFER_BURST_WINDOW_MS = 2_000;

/** The first restart after a crash is immediate; the second waits about this long, then it doubles ... */
export const RESTART_DELAY_MS = 1_000;
/** ... up to this cap. */
export const RESTART_DELAY_MS_MAX = 60_000;
/** The share of a restart delay that is random, so that a fleet does not restart in step. */
export const RESTART_JITTER = 0.5;
/** A run that was healthy for this long wipes out earlier crashes. */
export const STABLE_RUN_MS = 60_000;

/** So many crashes in a row, and the Collector is held: tried again slowly, so that it is never a storm and never given up. */
export const HOLD_CRASHES = 10;
/** While held, the next try comes after about this long; a new configuration or a restart command ends the hold at once. */
export const HOLD_RETRY_MS = 300_000;
/** Before that try the local files are read again, and validated: this long before it. */
export const COMPOSE_MS = 5_000;

/** At the start the server gets so long to answer before the startup fallback is prepared. */
export const FALLBACK_WAIT_MS = 500;

/** What should run and crashes so often in a row gives way to the next step down, if there is one ... */
export const STEP_DOWN_CRASHES = 5;
/** ... and is tried again after this long, then after twice as long ... */
export const BASE_RETRY_MS = 60_000;
/** ... up to this cap: never given up, never a storm. */
export const BASE_RETRY_MS_MAX = 3_600_000;

/** During probation: one or two crashes that recover are restarts, this many are a crash loop. */
export const PROBATION_CRASHES_MAX = 3;
/** During probation: how often health may be lost before it counts as flip-flopping. */
export const PROBATION_FLIPS_MAX = 5;
/** A configuration during whose trial the supervisor died this often is not tried again. */
export const TRIAL_LIVES_MAX = 3;
/** How many failed configurations are remembered, newest first. */
export const FAILURES_MAX = 32;

/** What failed for a reason that was not in the configuration may be offered again after this long, and is tried again without that; then after twice as long. */
export const OFFER_RETRY_MS = 30_000;
/** Restart commands that follow each other faster than this are one. */
export const RESTART_COMMAND_MS_MIN = 2_000;
/** A restart command counts as the wish to try again what failed at most this often: a server that sends both in turn must not make a loop. */
export const FORGET_MS_MIN = 60_000;
/** New identities restart the Collector at most this often, so that a server that assigns one in each reply cannot keep it down. */
export const RENAME_MS_MIN = 10_000;

/** A failed save is tried again after this long. */
export const SAVE_RETRY_MS = 5_000;
/** An executable that could not be described is asked again after this long. */
export const DESCRIBE_RETRY_MS = 10_000;
/** A local configuration that was refused is composed again after this long: somebody may have repaired a file. */
export const COMPOSE_RETRY_MS = 30_000;

/** The longest reason that is told and stored; the cause stands in front, the Collector's output behind it. */
export const REASON_CHARS_MAX = 4_000;
