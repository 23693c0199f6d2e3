/**
 * Whether the startup fallback would run, asked before it is needed: on the day on which it is, nobody can log in. The
 * files are given to the Collector as they are, as the Go supervisor does.
 */
import { stat } from "node:fs/promises";
import { VALIDATE_MS_MAX, validateFiles } from "./collector/validate.js";
import type { Settings } from "./config/settings.js";
import { collectorEnvironment, type Environment } from "./environment.js";
import type { Clock } from "./lib/clock.js";
import { messageOf, SupervisorError } from "./lib/error.js";
import type { Logger } from "./lib/log.js";

/** The start comes first: it is only asked whether the fallback would run some day. */
const CHECK_DELAY_MS = 5_000;

export interface FallbackCheckOptions {
  readonly settings: Settings;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  /** Nothing ran here yet, so there is nothing better than the fallback. */
  readonly isFresh: boolean;
}

/**
 * Whoever sets up a host stands beside it: only then a broken fallback ends the start, as in the Go supervisor. Later it
 * is an error in the log. Answers with what ends a check that is still to come.
 */
export async function checkFallback(options: FallbackCheckOptions): Promise<() => Promise<void>> {
  const { clock, isFresh, log, settings } = options;
  if (settings.agent.startupFallbackConfigs.length === 0) return () => Promise.resolve();
  const lifetime = new AbortController();
  if (isFresh) {
    const problem = await problemOf(options, lifetime.signal);
    if (problem !== null) throw new SupervisorError("settings", `${problem}; nothing has run here yet that could run instead`);
    return () => Promise.resolve();
  }
  const check = async (): Promise<void> => {
    const problem = await problemOf(options, lifetime.signal).catch((error: unknown) => (lifetime.signal.aborted ? null : messageOf(error)));
    if (problem !== null) log.error("Startup fallback would not run when it is needed", { because: problem });
  };
  const cancel = clock.after(CHECK_DELAY_MS, () => void check());
  return () => {
    cancel();
    lifetime.abort();
    return Promise.resolve();
  };
}

/** Null: it would run. Otherwise why not, with the name of what is broken. Rejects only when aborted. */
async function problemOf({ env, settings }: FallbackCheckOptions, signal: AbortSignal): Promise<string | null> {
  const { args, executable, startupFallbackConfigs: files } = settings.agent;
  for (const [index, file] of files.entries()) {
    try {
      await stat(file);
    } catch (error) {
      return `could not stat agent::startup_fallback_configs[${index}] path "${file}": ${messageOf(error)}`;
    }
  }
  const result = await validateFiles(files, { executable, args, env: collectorEnvironment(settings, env), timeoutMs: VALIDATE_MS_MAX, signal });
  return result.ok ? null : `could not validate startup fallback configs with agent::executable: ${files.join(", ")}: ${result.reason}`;
}
