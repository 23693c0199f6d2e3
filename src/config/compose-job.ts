/**
 * What travels to the code that composes and redacts, in this thread or in a worker: plain data only. The answer carries
 * a refusal as data as well, since an error's class does not survive the way between threads.
 */
import type { Settings } from "./settings.js";
import type { ErrorCode } from "../lib/error.js";
import type { Hex } from "../core/values.js";

/** One input of the composed configuration, in the order in which they are merged: a later one wins. */
export type Layer =
  /** What the supervisor says of the Collector's own telemetry: its logs, and the attributes of its description. */
  | { readonly is: "own-telemetry" }
  /** Where the opamp extension stands among the extensions; its definition is not open to any layer. */
  | { readonly is: "opamp-extension" }
  /** A file of `agent.config_files`; a broken one is left out with a warning, as Go does. */
  | { readonly is: "local"; readonly name: string; readonly text: string }
  /** A file of `agent.startup_fallback_configs`; a broken one refuses the whole. */
  | { readonly is: "fallback"; readonly name: string; readonly text: string }
  /** A file of the remote configuration; a broken one refuses the whole. */
  | { readonly is: "remote"; readonly name: string; readonly text: string };

export interface ComposeJob {
  readonly do: "compose";
  readonly layers: readonly Layer[];
  readonly instanceUid: string;
  readonly description: Settings["agent"]["description"];
  readonly orphanDetectionIntervalMs: number;
  readonly allowsNoPipelines: boolean;
  readonly resourceForm: "inline" | "list";
  /** A remote configuration takes part, be it empty. */
  readonly remoteReceived: boolean;
}

export interface Composed {
  readonly text: string;
  readonly digest: Hex;
  readonly runs: boolean;
  readonly warnings: readonly string[];
}

export interface RedactJob {
  readonly do: "redact";
  readonly kind: "config" | "output";
  readonly reported: string;
  readonly composed: string;
  /** Variables and files that the composed text refers to, as far as they could be read. */
  readonly variables: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

export type Job = ComposeJob | RedactJob;

export type Answer =
  | { readonly is: "composed"; readonly composed: Composed }
  | { readonly is: "redacted"; readonly text: string }
  | { readonly is: "refused"; readonly code: ErrorCode; readonly message: string };
