/** Asks the Collector's binary whether it would run a configuration; its own words are the reason when it would not. */
import type { Clock, Millis } from "../lib/clock.js";
import { messageOf, SupervisorError } from "../lib/error.js";
import { collectorArguments } from "./arguments.js";
import { ask, type Answer } from "./ask.js";
import { lastLines } from "./clean-text.js";

/** Of a large configuration under load. */
export const VALIDATE_MS_MAX = 60_000;
const REASON_CHARS_MAX = 3_000;
const REASON_LINES_MAX = 30;

export interface ValidateOptions {
  readonly executable: string;
  /** The file that will run. */
  readonly path: string;
  readonly allowsNoPipelines: boolean;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: Millis;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export type Validation = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Rejects only with code "aborted". */
export function validateConfig(options: ValidateOptions): Promise<Validation> {
  const { allowsNoPipelines, args, path, ...rest } = options;
  return askToValidate(collectorArguments({ configPath: path, allowsNoPipelines, args }), rest);
}

/** Several files as they are, merged by the Collector itself. Rejects only with code "aborted". */
export function validateFiles(paths: readonly string[], options: Omit<ValidateOptions, "path" | "allowsNoPipelines">): Promise<Validation> {
  const { args, ...rest } = options;
  return askToValidate([...paths.flatMap((path) => ["--config", path]), ...args], rest);
}

type AskOptions = Omit<ValidateOptions, "path" | "allowsNoPipelines" | "args">;

async function askToValidate(args: readonly string[], options: AskOptions): Promise<Validation> {
  try {
    const answer = await ask({ ...options, args: ["validate", ...args], errorCode: "executable" });
    return answer.is === "exited" && answer.code === 0 ? { ok: true } : { ok: false, reason: reasonOf(answer, options) };
  } catch (error) {
    if (error instanceof SupervisorError && error.code === "aborted") throw error;
    return { ok: false, reason: `the configuration could not be validated: ${messageOf(error)}` };
  }
}

function reasonOf(answer: Answer, { timeoutMs }: AskOptions): string {
  const said = wordsOf(answer);
  const quoted = said === "" ? "; it said nothing" : `; its last words:\n${said}`;
  switch (answer.is) {
    case "timed-out":
      return `the Collector's validate command did not end within ${timeoutMs / 1000} s and was killed${quoted}`;
    case "flooded":
      return `the Collector's validate command printed without end and was killed${quoted}`;
    case "exited":
      if (answer.signal !== null) return `the Collector's validate command was killed by ${answer.signal}${quoted}`;
      return said === "" ? `the Collector's validate command refused it with exit code ${answer.code ?? "unknown"} and said nothing` : said;
  }
}

/** Errors go to stderr; what is on stdout counts only when there is nothing else. */
function wordsOf({ stderr, stdout }: Answer): string {
  const said = stderr.trim() === "" ? stdout : stderr;
  return lastLines(said.trim().replace(/^Error: /, "").replace(/\n{2,}/g, "\n"), REASON_CHARS_MAX, REASON_LINES_MAX);
}
