/**
 * A transcript: what to do with a Collector, and what the real one did. Texts may hold `{{port:name}}` for a free port
 * (the same one everywhere) and `{{opamp}}` for the WebSocket endpoint of a listening OpAMP server.
 */
import { readdirSync, readFileSync } from "node:fs";

export type Step =
  | { readonly do: "await-output"; readonly text: string }
  /** Waits until the extension's link with this number has said that all is well. */
  | { readonly do: "await-healthy"; readonly link: number }
  | { readonly do: "await-link"; readonly link: number }
  | { readonly do: "ask-components" | "ask-full-state" | "cut"; readonly link: number }
  | { readonly do: "await-messages"; readonly link: number; readonly count: number }
  | { readonly do: "signal"; readonly signal: "SIGTERM" | "SIGINT" | "SIGHUP" }
  | { readonly do: "write"; readonly file: string; readonly text: string }
  | { readonly do: "request"; readonly method: string; readonly url: string; readonly type?: string; readonly body?: string };

export interface Script {
  readonly about: string;
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Names of ports that somebody else holds. */
  readonly occupied: readonly string[];
  readonly steps: readonly Step[];
  /** What depends on how the real one's threads meet, so that it is not compared. */
  readonly racy: readonly ("links" | "description" | "effectiveConfig")[];
}

/** Everything that was seen, with ports, times, ids and the program's name made equal. */
export interface Seen {
  /** Exit code, or the signal's name. */
  readonly exit: number | string;
  readonly stdout: readonly string[];
  /** What follows the last log line on stderr. */
  readonly error: readonly string[];
  readonly log: readonly string[];
  /** What each link of the opamp extension told, in order. */
  readonly links: readonly (readonly string[])[];
  readonly description: readonly string[];
  readonly effectiveConfig: readonly string[];
  readonly components: readonly string[];
  readonly answers: readonly string[];
}

export interface Transcript extends Script {
  readonly recorded: Seen;
}

export const TRANSCRIPTS = new URL("../../fixtures/transcripts/", import.meta.url);

export function readTranscripts(): { readonly name: string; readonly transcript: Transcript }[] {
  return readdirSync(TRANSCRIPTS)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name: name.replace(/\.json$/, ""), transcript: JSON.parse(readFileSync(new URL(name, TRANSCRIPTS), "utf8")) as Transcript }));
}
