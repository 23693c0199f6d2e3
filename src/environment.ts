/** What a Collector finds in its environment: the supervisor's own, `agent.env` over it, and what this start is known by. */
import type { Settings } from "./config/settings.js";
import { EXTENSION_PORT_VARIABLE, EXTENSION_SECRET_VARIABLE, PARENT_PID_VARIABLE } from "./config/variables.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Without a start: for questions to the binary. */
export function collectorEnvironment(settings: Settings, env: Environment): Record<string, string> {
  return { ...definedIn(env), ...settings.agent.env };
}

/** @param secret of this start; the composed text refers to all three by their names */
export function environmentOfRun(settings: Settings, env: Environment, extensionPort: number, secret: string): Record<string, string> {
  return {
    ...collectorEnvironment(settings, env),
    [EXTENSION_PORT_VARIABLE]: String(extensionPort),
    [PARENT_PID_VARIABLE]: String(process.pid),
    [EXTENSION_SECRET_VARIABLE]: secret,
  };
}

export function definedIn(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
