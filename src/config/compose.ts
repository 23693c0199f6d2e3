/**
 * The Collector's configuration: composed from its layers for the run, and redacted for the report. Both are functions of
 * their input; nothing that changes with a start (port, process id, secret, time) is in the text.
 */
import type { ExecutableFacts, Prepared, RemoteConfig } from "../core/values.js";
import { SupervisorError } from "../lib/error.js";
import { runJob, type RunOptions } from "./compose-run.js";
import { readLayers } from "./layers.js";
import { referencedFiles, referencedVariables } from "./reference-values.js";
import type { Settings } from "./settings.js";

export interface ComposeInput {
  /** `Settings.agent.startupFallbackConfigs`, to be composed in place of all other layers; null: they take no part. */
  readonly fallbackFiles: readonly string[] | null;
  /** `Settings.agent.configFiles`. */
  readonly configFiles: readonly string[];
  /** Null: nothing received, or not accepted. */
  readonly remote: RemoteConfig | null;
  readonly instanceUid: string;
  readonly description: Settings["agent"]["description"];
  readonly orphanDetectionIntervalMs: number;
  readonly executable: ExecutableFacts;
  /** For `env:` URIs of `configFiles`. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws SupervisorError "config-refused", "config-too-large" or "aborted", with the reason a person needs. */
export async function composeConfig(
  input: ComposeInput,
  signal: AbortSignal,
  options: Partial<RunOptions> = {},
): Promise<{ prepared: Prepared; warnings: readonly string[] }> {
  const { description, executable, instanceUid, orphanDetectionIntervalMs, remote } = input;
  const { allowsNoPipelines, resourceForm } = executable;
  const { layers, warnings } = await readLayers(input, signal);
  const remoteReceived = remote !== null;
  const answer = await runJob(
    { do: "compose", layers, instanceUid, description, orphanDetectionIntervalMs, allowsNoPipelines, resourceForm, remoteReceived },
    signal,
    options,
  );
  if (answer.is !== "composed") throw new SupervisorError("config-refused", "the configuration was not composed");
  const { digest, runs, text } = answer.composed;
  return { prepared: { digest, text, runs, remoteHash: remote?.hash ?? null }, warnings: [...warnings, ...answer.composed.warnings] };
}

export interface RedactInput {
  /** What the Collector reported or said. */
  readonly reported: string;
  /** "output" for lines of a log, which keep their form; otherwise the text is printed anew where it is YAML. */
  readonly kind?: "config" | "output";
  /** The composed text that it runs. */
  readonly composed: string;
  /** The Collector's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The reported text without secrets: values of known secret keys, and whatever came from a reference. A text that is not
 * YAML is redacted line by line and otherwise kept as it is.
 * @throws SupervisorError when it cannot be done; then nothing may be shown.
 */
export async function redactConfig(input: RedactInput, signal?: AbortSignal, options: Partial<RunOptions> = {}): Promise<string> {
  const { composed, env, kind = "config", reported } = input;
  const variables = referencedVariables(composed, env);
  const files = await referencedFiles(composed);
  const answer = await runJob({ do: "redact", kind, reported, composed, variables, files }, signal, options);
  if (answer.is !== "redacted") throw new SupervisorError("config-refused", "the reported configuration was not redacted");
  return answer.text;
}
