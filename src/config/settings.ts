/**
 * `supervisor.yaml`, parsed once into a type without holes: every default filled, every duration in milliseconds, every
 * path absolute. After this nobody writes `?? default`.
 */

export interface Settings {
  readonly server: ServerSettings;
  readonly capabilities: CapabilitySettings;
  readonly agent: AgentSettings;
  readonly storage: { readonly directory: string };
  readonly telemetry: { readonly logs: LogSettings };
  /** Null: off. */
  readonly healthcheck: { readonly host: string; readonly port: number } | null;
}

export interface ServerSettings {
  /** ws, wss, http or https. */
  readonly endpoint: string;
  /** Name as written to its values. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly tls: TlsSettings;
}

/** TLS of a client, as `server.tls`. Files are read when the connection is set up. */
export interface TlsSettings {
  /** PEM text or null; file paths are absolute. At most one of each pair is set. */
  readonly caFile: string | null;
  readonly caPem: string | null;
  readonly certFile: string | null;
  readonly certPem: string | null;
  readonly keyFile: string | null;
  readonly keyPem: string | null;
  readonly includeSystemCaCertsPool: boolean;
  readonly insecure: boolean;
  readonly insecureSkipVerify: boolean;
  readonly serverNameOverride: string | null;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion | null;
  /** Go names, as in the file; empty = defaults. */
  readonly cipherSuites: readonly string[];
  readonly curvePreferences: readonly string[];
  /** 0 = never. */
  readonly reloadIntervalMs: number;
}

export type TlsVersion = "1.0" | "1.1" | "1.2" | "1.3";

export interface CapabilitySettings {
  readonly acceptsRemoteConfig: boolean;
  readonly reportsRemoteConfig: boolean;
  readonly acceptsRestartCommand: boolean;
  readonly acceptsOpampConnectionSettings: boolean;
  readonly reportsEffectiveConfig: boolean;
  readonly reportsOwnMetrics: boolean;
  readonly reportsOwnLogs: boolean;
  readonly reportsOwnTraces: boolean;
  readonly reportsHealth: boolean;
  readonly reportsAvailableComponents: boolean;
  readonly reportsHeartbeat: boolean;
}

export interface AgentSettings {
  /** Absolute. */
  readonly executable: string;
  readonly instanceId: string | null;
  readonly orphanDetectionIntervalMs: number;
  readonly description: {
    readonly identifyingAttributes: Readonly<Record<string, string>>;
    readonly nonIdentifyingAttributes: Readonly<Record<string, string>>;
    readonly includeResourceAttributes: boolean;
  };
  readonly configApplyTimeoutMs: number;
  /** Ours: how long an applied configuration must stay healthy before it is good. 0 = at once. */
  readonly configProbationMs: number;
  readonly bootstrapTimeoutMs: number;
  /** 0 = any free one. */
  readonly opampServerPort: number;
  readonly passthroughLogs: boolean;
  readonly useHupConfigReload: boolean;
  readonly validateConfig: boolean;
  /** In order: absolute paths, `file:`/`env:` URIs as written, or the placeholders `$OWN_TELEMETRY_CONFIG`, `$OPAMP_EXTENSION_CONFIG`, `$REMOTE_CONFIG`. */
  readonly configFiles: readonly string[];
  /** In order, absolute paths: what runs at the start while nothing better is known; empty = none. */
  readonly startupFallbackConfigs: readonly string[];
  /** False: what fails stays. */
  readonly automaticConfigRollback: boolean;
  /** How much of the Collector's last output a reason quotes, 0 = nothing; null: a few lines. */
  readonly collectorCrashLogSnippetKib: number | null;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error";
  /** `stdout`, `stderr` or absolute paths. */
  readonly outputPaths: readonly string[];
  readonly errorOutputPaths: readonly string[];
  readonly encoding: "json" | "console";
}
