/**
 * From what a configuration is made of to a text that the Collector's binary has accepted. Nothing that runs is touched;
 * the answer is one event.
 */
import { VALIDATE_MS_MAX, validateConfig } from "./collector/validate.js";
import { composeConfig } from "./config/compose.js";
import type { Settings } from "./config/settings.js";
import type { ConfigSource, PrepareConfig } from "./core/effect.js";
import type { Event } from "./core/event.js";
import type { EffectiveFile, ExecutableFacts, Prepared, RemoteConfig } from "./core/values.js";
import { definedIn, environmentOfRun, type Environment } from "./environment.js";
import type { Clock } from "./lib/clock.js";
import { messageOf, SupervisorError } from "./lib/error.js";
import type { Logger } from "./lib/log.js";
import type { Redactor } from "./redactor.js";
import type { Store } from "./storage/store.js";

/** Long enough for a spawn, short enough for a person who looks at a Collector that does not come up. */
const SHOW_DELAY_MS = 100;

export interface PreparerEdges {
  readonly settings: Settings;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  /** The port that the extension server listens on. */
  readonly extensionPort: number;
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  /** What the executable is now. */
  readonly currentFacts: () => Promise<ExecutableFacts>;
  readonly post: (event: Event) => void;
}

export class Preparer {
  readonly #edges: PreparerEdges;

  constructor(edges: PreparerEdges) {
    this.#edges = edges;
  }

  /** Never rejects: answers with `config-prepared` or `config-refused`. */
  async prepare({ instanceUid, provenDigest, source, ticket }: PrepareConfig): Promise<void> {
    const { post } = this.#edges;
    try {
      const facts = await this.#edges.currentFacts();
      const prepared = await this.#textOf(source, instanceUid, facts);
      const reason = await this.#validate(prepared.text, prepared.digest === provenDigest, facts);
      if (reason !== null) return post({ is: "config-refused", ticket, reason, isBlameless: false });
      post({ is: "config-prepared", ticket, build: { prepared, remote: remoteIn(source), instanceUid } });
      void this.#show(prepared);
    } catch (error) {
      const isBlameless = !(error instanceof SupervisorError && /^config-/.test(error.code));
      post({ is: "config-refused", ticket, reason: messageOf(error), isBlameless });
    }
  }

  async #textOf(source: ConfigSource, instanceUid: string, executable: ExecutableFacts): Promise<Prepared> {
    const { env, log, settings, signal } = this.#edges;
    if (source.is === "as-it-was") {
      const { instanceUid: named, prepared } = source.build;
      return { ...prepared, text: prepared.text.replaceAll(named, instanceUid) };
    }
    const { configFiles, description, orphanDetectionIntervalMs, startupFallbackConfigs } = settings.agent;
    const layers =
      source.is === "fallback"
        ? { fallbackFiles: startupFallbackConfigs, configFiles: [], remote: null }
        : { fallbackFiles: null, configFiles, remote: source.remote };
    const { prepared, warnings } = await composeConfig(
      { ...layers, instanceUid, description, orphanDetectionIntervalMs, executable, env: definedIn(env) },
      signal,
    );
    for (const warning of warnings) log.warn("Configuration layer", { warning });
    return prepared;
  }

  /** The validator reads the very file that is renamed to `effective.yaml` later. Null: nothing against it. */
  async #validate(text: string, isProven: boolean, facts: ExecutableFacts): Promise<string | null> {
    const { env, extensionPort, redactor, settings, signal, store } = this.#edges;
    if (!settings.agent.validateConfig || isProven) return null;
    const path = await store.stageEffective(text);
    const result = await validateConfig({
      executable: settings.agent.executable,
      path,
      allowsNoPipelines: facts.allowsNoPipelines,
      args: settings.agent.args,
      env: environmentOfRun(settings, env, extensionPort, "validate"),
      timeoutMs: VALIDATE_MS_MAX,
      signal,
    });
    if (result.ok) return null;
    await store.discardStaged(path);
    return redactor.output(result.reason, text);
  }

  /** The process is on its way before this begins: redaction costs as much as composition. */
  async #show({ digest, text }: Prepared): Promise<void> {
    const { clock, post, redactor } = this.#edges;
    await clock.sleep(SHOW_DELAY_MS);
    post({ is: "config-shown", digest, files: await redactor.files([yamlFile(text)], text) });
  }
}

function remoteIn(source: ConfigSource): RemoteConfig | null {
  switch (source.is) {
    case "layers":
      return source.remote;
    case "fallback":
      return null;
    case "as-it-was":
      return source.build.remote;
  }
}

function yamlFile(text: string): EffectiveFile {
  return { name: "", body: new TextEncoder().encode(text), contentType: "text/yaml" };
}
