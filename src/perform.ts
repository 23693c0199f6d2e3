/**
 * Carries out each effect by calling the edges, and nothing else does. Every effect is answered by exactly one event.
 * The edges do not know each other; here they meet.
 */
import { randomBytes } from "node:crypto";
import { collectorArguments } from "./collector/arguments.js";
import { startCollector, type CollectorProcess } from "./collector/commander.js";
import { forgetCollector, recordCollector } from "./collector/leftover.js";
import type { Output } from "./collector/output.js";
import { validateConfig } from "./collector/validate.js";
import { composeConfig } from "./config/compose.js";
import type { Settings } from "./config/settings.js";
import { EXTENSION_PORT_VARIABLE, EXTENSION_SECRET_VARIABLE, PARENT_PID_VARIABLE } from "./config/variables.js";
import type { Effect } from "./core/effect.js";
import type { Event } from "./core/event.js";
import type { Build, EffectiveFile, ExecutableFacts, Prepared, Run } from "./core/values.js";
import { unreachable } from "./lib/check.js";
import type { Clock } from "./lib/clock.js";
import { messageOf, SupervisorError } from "./lib/error.js";
import type { Logger } from "./lib/log.js";
import type { KnownExecutable } from "./known-executable.js";
import type { ExtensionServer } from "./opamp/extension.js";
import { Redactor } from "./redactor.js";
import type { Store } from "./storage/store.js";

/** From SIGTERM to SIGKILL, as the Go supervisor waits. */
export const STOP_GRACE_MS = 10_000;
/** `validate` of a large configuration under load. */
const VALIDATE_MS_MAX = 60_000;
/** The Collector reports healthy a moment before it listens to signals: a SIGHUP in between would end it, undrained. */
const RELOAD_SETTLE_MS = 50;
/** Long enough for a spawn, short enough for a person who looks at a Collector that does not come up. */
const SHOW_DELAY_MS = 100;
/** What a reason quotes of the Collector's output: the cause stands in its last line, what comes before is mostly routine. */
const TAIL_BYTES_MAX = 2_048;
const TAIL_LINES_MAX = 5;
const SECRET_BYTES = 32;

export interface PerformerEdges {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly extension: ExtensionServer;
  /** The port that the extension server listens on. */
  readonly extensionPort: number;
  readonly output: Output;
  /** Path of setpriv, null where there is none. */
  readonly pdeathsig: string | null;
  readonly executable: KnownExecutable;
  readonly post: (event: Event) => void;
}

export class Performer {
  readonly #edges: PerformerEdges;
  readonly #lifetime = new AbortController();
  #process: CollectorProcess | null = null;
  /** The start that is on its way: a stop waits for it, since only then there is something to stop. */
  #starting: Promise<void> = Promise.resolve();
  /** The end of the process is asked for: then nobody needs its last words. */
  #stopping = false;
  /** The composed text of the current attempt: what its reported configuration is redacted by. */
  #running: Build | null = null;
  readonly #redactor: Redactor;
  /** Reports are redacted one after the other, so that they arrive in their order. */
  #reporting: Promise<void> = Promise.resolve();

  constructor(edges: PerformerEdges) {
    this.#edges = edges;
    this.#redactor = new Redactor({ env: { ...edges.env, ...edges.settings.agent.env }, log: edges.log });
  }

  perform(effect: Effect): void {
    switch (effect.do) {
      case "describe-executable":
        return void this.#describe();
      case "prepare-config":
        return void this.#prepare(effect);
      case "start-collector":
        this.#starting = this.#start(effect.attempt, effect.run);
        return;
      case "stop-collector":
        return void this.#stop(effect.next);
      case "reload-collector":
        return void this.#reload(effect.attempt, effect.run);
      case "finish":
        this.#edges.executable.close();
        return this.#lifetime.abort();
      default:
        return unreachable(effect);
    }
  }

  /** For the second signal and for bugs: the Collector ends now, whatever it is doing. */
  kill(): void {
    this.#process?.kill();
  }

  /** News of the extension server on its way to the mailbox; what the Collector reports as its configuration is redacted. */
  onExtensionEvent(event: Event): void {
    if (event.is === "collector-described") this.#edges.executable.learn({ description: event.description });
    if (event.is === "collector-components") this.#edges.executable.learn({ components: event.components });
    if (event.is !== "collector-config-reported") return this.#edges.post(event);
    const composed = this.#running?.prepared.text ?? "";
    this.#reporting = this.#reporting.then(async () => {
      const files = await this.#redactor.files(event.files, composed);
      if (this.#running?.prepared.text === composed) this.#edges.post({ ...event, files });
    });
  }

  async #describe(): Promise<void> {
    const { executable, post } = this.#edges;
    try {
      post({ is: "executable-described", facts: await executable.describe() });
    } catch (error) {
      post({ is: "executable-not-described", error: messageOf(error) });
    }
  }

  /** Somebody may have replaced the binary since it was described. */
  async #currentFacts(): Promise<ExecutableFacts> {
    const { executable, post } = this.#edges;
    const { facts, isNew } = await executable.current();
    if (isNew) post({ is: "executable-described", facts });
    return facts;
  }

  async #prepare(effect: Extract<Effect, { do: "prepare-config" }>): Promise<void> {
    const { settings, post, log, env } = this.#edges;
    const { ticket, remote, instanceUid } = effect;
    try {
      const facts = await this.#currentFacts();
      const { configFiles, description, orphanDetectionIntervalMs } = settings.agent;
      const { prepared, warnings } = await composeConfig(
        { configFiles, remote, instanceUid, description, orphanDetectionIntervalMs, executable: facts, env: defined(env) },
        this.#lifetime.signal,
      );
      for (const warning of warnings) log.warn("Configuration layer", { warning });
      const reason = await this.#validate(prepared.text, prepared.digest === effect.provenDigest, facts);
      if (reason !== null) return post({ is: "config-refused", ticket, reason, isBlameless: false });
      post({ is: "config-prepared", ticket, build: { prepared, remote, instanceUid } });
      void this.#show(prepared);
    } catch (error) {
      const isBlameless = !(error instanceof SupervisorError && /^config-/.test(error.code));
      post({ is: "config-refused", ticket, reason: messageOf(error), isBlameless });
    }
  }

  /** The process is on its way before this begins: redaction costs as much as composition. */
  async #show({ digest, text }: Prepared): Promise<void> {
    const { clock, post } = this.#edges;
    await clock.sleep(SHOW_DELAY_MS);
    post({ is: "config-shown", digest, files: await this.#redactor.files([yamlFile(text)], text) });
  }

  /** The validator reads the very file that is renamed to `effective.yaml` later. Null: nothing against it. */
  async #validate(text: string, proven: boolean, facts: ExecutableFacts): Promise<string | null> {
    const { settings, store } = this.#edges;
    if (!settings.agent.validateConfig || proven) return null;
    const path = await store.stageEffective(text);
    const result = await validateConfig({
      executable: settings.agent.executable,
      path,
      allowsNoPipelines: facts.allowsNoPipelines,
      args: settings.agent.args,
      env: this.#environment({ [EXTENSION_SECRET_VARIABLE]: "validate" }),
      timeoutMs: VALIDATE_MS_MAX,
      signal: this.#lifetime.signal,
    });
    if (result.ok) return null;
    await store.discardStaged(path);
    return this.#redactor.output(result.reason, text);
  }

  async #start(attempt: number, run: Run): Promise<void> {
    const { clock, extension, log, output, pdeathsig, post, settings, store } = this.#edges;
    const secret = randomBytes(SECRET_BYTES).toString("hex");
    try {
      const facts = await this.#currentFacts();
      await this.#activate(run.build);
      extension.expect(attempt, secret, run.build.instanceUid);
      output.mark();
      this.#running = run.build;
      this.#redactor.hide(secret);
      const process = await startCollector({
        attempt,
        executable: settings.agent.executable,
        args: collectorArguments({ configPath: store.paths.effective, allowsNoPipelines: facts.allowsNoPipelines, args: settings.agent.args }),
        env: this.#environment({ [EXTENSION_SECRET_VARIABLE]: secret }),
        output,
        clock,
        log,
        pdeathsig,
      });
      this.#process = process;
      this.#stopping = false;
      recordCollector(settings.storage.directory, process.pid, log);
      post({ is: "collector-started", attempt, pid: process.pid, startTimeUnixNano: process.startTimeUnixNano });
      log.debug("Collector process started", { attempt, pid: process.pid });
      void this.#watch(process);
    } catch (error) {
      post({ is: "collector-not-started", attempt, error: messageOf(error) });
    }
  }

  async #watch(process: CollectorProcess): Promise<void> {
    const { output, post, settings, log } = this.#edges;
    const { code, signal } = await process.exited;
    log.debug("Collector process ended", { attempt: process.attempt, pid: process.pid, exit_code: code, signal });
    this.#process = null;
    forgetCollector(settings.storage.directory);
    const composed = this.#running?.prepared.text ?? "";
    const raw = this.#stopping ? "" : await output.tail(TAIL_BYTES_MAX, TAIL_LINES_MAX);
    const tail = await this.#redactor.output(raw, composed);
    post({ is: "collector-exited", attempt: process.attempt, exit: { code, signal, tail } });
  }

  /** What runs next lies beside `effective.yaml`, synced, before the Collector is stopped: the gap holds a rename and a spawn. */
  async #stop(next: Build | null): Promise<void> {
    const { log, store } = this.#edges;
    await this.#starting;
    if (next !== null) {
      try {
        await store.stageEffective(next.prepared.text);
      } catch (error) {
        // The start that follows tries once more and answers with the reason.
        log.error("Next configuration cannot be written", { error: messageOf(error) });
      }
    }
    this.#stopping = true;
    await this.#process?.stop(STOP_GRACE_MS);
  }

  async #reload(attempt: number, run: Run): Promise<void> {
    const { clock, post } = this.#edges;
    try {
      await this.#activate(run.build);
      this.#running = run.build;
      await clock.sleep(RELOAD_SETTLE_MS);
      this.#process?.reload();
      post({ is: "collector-reloaded", attempt });
    } catch (error) {
      post({ is: "collector-not-reloaded", attempt, error: messageOf(error) });
    }
  }

  /** A text that is staged already, or in place, costs nothing: a crash restart writes nothing. */
  async #activate(build: Build): Promise<void> {
    const { store } = this.#edges;
    store.activateEffective(await store.stageEffective(build.prepared.text));
  }

  #environment(extra: Readonly<Record<string, string>>): Record<string, string> {
    const { env, extensionPort, settings } = this.#edges;
    return {
      ...collectorEnvironment(settings, env),
      [EXTENSION_PORT_VARIABLE]: String(extensionPort),
      [PARENT_PID_VARIABLE]: String(process.pid),
      ...extra,
    };
  }
}

/** The supervisor's environment, and `agent.env` over it. */
export function collectorEnvironment(settings: Settings, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return { ...defined(env), ...settings.agent.env };
}

function yamlFile(text: string): EffectiveFile {
  return { name: "", body: new TextEncoder().encode(text), contentType: "text/yaml" };
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
