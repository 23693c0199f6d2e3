/**
 * The closed list of causes: whatever can make the supervisor act is one of these, and nothing else may start a
 * transition. Past participles with a subject. Edges post them; only `observe` reads them.
 */
import type { Policy } from "./policy.js";
import type {
  AgentDescription,
  AvailableComponents,
  Build,
  ComponentHealth,
  EffectiveFile,
  ExecutableFacts,
  Exit,
  RemoteConfig,
  Verdict,
} from "./values.js";

/** Which Collector process, and which connection of its extension, a piece of news is about. A reload keeps the attempt. */
export interface Source {
  readonly attempt: number;
  readonly link: number;
}

export type Event =
  | { readonly is: "settings-loaded"; readonly policy: Policy }
  | { readonly is: "memory-saved" }
  /** `isRestSaved`: what does not belong to the newest offer is on disk. */
  | { readonly is: "memory-not-saved"; readonly error: string; readonly isRestSaved: boolean }
  | { readonly is: "deadline-reached" }
  | { readonly is: "shutdown-requested"; readonly because: string }
  // The Collector's executable and configuration
  | { readonly is: "executable-described"; readonly facts: ExecutableFacts }
  | { readonly is: "executable-not-described"; readonly error: string }
  | { readonly is: "config-prepared"; readonly ticket: number; readonly build: Build }
  /** The composed text, redacted. It follows `config-prepared`, so that redaction never delays a start. */
  | { readonly is: "config-shown"; readonly digest: string; readonly files: readonly EffectiveFile[] }
  | { readonly is: "config-refused"; readonly ticket: number; readonly reason: string; /** Not the configuration's fault. */ readonly isBlameless: boolean }
  // The Collector's process
  | { readonly is: "collector-started"; readonly attempt: number; readonly pid: number; readonly startTimeUnixNano: bigint }
  | { readonly is: "collector-not-started"; readonly attempt: number; readonly error: string }
  | { readonly is: "collector-exited"; readonly attempt: number; readonly exit: Exit }
  | { readonly is: "collector-reloaded"; readonly attempt: number }
  | { readonly is: "collector-not-reloaded"; readonly attempt: number; readonly error: string }
  // The Collector's opamp extension
  | ({ readonly is: "collector-connected" } & Source)
  | ({ readonly is: "collector-described"; readonly description: AgentDescription } & Source)
  | ({
      readonly is: "collector-health";
      readonly verdict: Verdict;
      readonly error: string;
      /** The newest tree as the extension sent it, status times included. */
      readonly health: ComponentHealth;
    } & Source)
  | ({ readonly is: "collector-components"; readonly components: AvailableComponents } & Source)
  | ({ readonly is: "collector-config-reported"; readonly files: readonly EffectiveFile[] } & Source)
  // The server
  | { readonly is: "server-connected" }
  | { readonly is: "server-lost"; readonly error: string }
  | { readonly is: "remote-config-offered"; readonly config: RemoteConfig }
  | { readonly is: "identity-assigned"; readonly instanceUid: string }
  | { readonly is: "restart-commanded" }
  // The operator of the host
  /** Read the local files again, and try again what failed. */
  | { readonly is: "retry-requested" };
