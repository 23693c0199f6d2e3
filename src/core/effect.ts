/**
 * What the core asks of the world: imperatives with an object, each with `because`, which goes to the log. `perform.ts`
 * carries out each by calling one edge; every effect but `finish` is answered by exactly one event.
 */
import type { Build, RemoteConfig, Run } from "./values.js";

export type Effect =
  /** Answered by `executable-described` or `executable-not-described`. */
  | { readonly do: "describe-executable"; readonly because: string }
  /** Compose, write, sync and validate. Of several on their way, the newest ticket of each part counts. Answered by `config-prepared` or `config-refused`. */
  | {
      readonly do: "prepare-config";
      readonly ticket: number;
      readonly source: ConfigSource;
      readonly instanceUid: string;
      /** Skip validation when the composed text has this digest: it ran with this executable. */
      readonly provenDigest: string | null;
      readonly because: string;
    }
  /** Answered by `collector-started` or `collector-not-started`; later `collector-exited`. */
  | { readonly do: "start-collector"; readonly attempt: number; readonly run: Run; readonly because: string }
  /** Write and sync what runs next, then SIGTERM, grace, SIGKILL. Answered by `collector-exited`. */
  | { readonly do: "stop-collector"; readonly attempt: number; readonly next: Build | null; readonly because: string }
  /** Replace the file and send SIGHUP. Answered by `collector-reloaded` or `collector-not-reloaded`. */
  | { readonly do: "reload-collector"; readonly attempt: number; readonly run: Run; readonly because: string }
  /** The last one: disconnect from the server, release everything, end the loop. */
  | { readonly do: "finish"; readonly because: string };

export type PrepareConfig = Extract<Effect, { do: "prepare-config" }>;

/** What a configuration is made of. */
export type ConfigSource =
  /** The local files, and this remote configuration with them. */
  | { readonly is: "layers"; readonly remote: RemoteConfig | null }
  /** `agent.startup_fallback_configs` in place of both. */
  | { readonly is: "fallback" }
  /** The very text of this build, with the present identity in place of the one in it. */
  | { readonly is: "as-it-was"; readonly build: Build };
