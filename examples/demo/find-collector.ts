/** A real Collector where this machine has one that can be supervised; else the stand-in, with the reason why. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { describeExecutable } from "../../src/collector/describe.js";
import { messageOf } from "../../src/lib/error.js";

export interface Found {
  readonly executable: string;
  readonly isReal: boolean;
  /** Name and version, as it says itself. */
  readonly title: string;
  /** Why something that was looked at is not used. */
  readonly passedOver: readonly string[];
}

const NAMES = ["otelcol-contrib", "otelcol"];
const ANSWER_MS_MAX = 30_000;

/** @param standin the executable to run where there is no real one. Null: it was aborted. */
export async function findCollector(standin: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Found | null> {
  const passedOver: string[] = [];
  for (const executable of candidates(env)) {
    try {
      return { executable, isReal: true, title: await titleOf(executable, env, signal), passedOver };
    } catch (error) {
      if (signal.aborted) return null;
      passedOver.push(messageOf(error));
    }
  }
  try {
    return { executable: standin, isReal: false, title: await titleOf(standin, env, signal), passedOver };
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function titleOf(executable: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const given = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { name, version } = await describeExecutable({ executable, env: given, timeoutMs: ANSWER_MS_MAX, signal });
  return `${name} ${version}`.trim();
}

/** What OTELCOL names comes first, and is complained about if it is not there. */
function candidates(env: NodeJS.ProcessEnv): string[] {
  const named = env["OTELCOL"] ?? "";
  const directories = (env["PATH"] ?? "").split(delimiter).filter((directory) => isAbsolute(directory));
  const onPath = directories.flatMap((directory) => NAMES.map((name) => join(directory, name))).filter(isExecutable);
  // A distribution with everything is worth more than whichever comes first.
  onPath.sort((one, other) => Number(!one.endsWith("contrib")) - Number(!other.endsWith("contrib")));
  return [...new Set([...(named === "" ? [] : [resolve(named)]), ...onPath])];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
