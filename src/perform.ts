/**
 * Carries out each effect by calling the edges, and nothing else does. Every effect is answered by exactly one event.
 * The edges do not know each other; here they meet.
 */
import { randomBytes } from "node:crypto";
import { collectorArguments } from "./collector/arguments.js";
import { startCollector, type CollectorProcess } from "./collector/commander.js";
import { announceCollector, forgetCollector, recordCollector } from "./collector/leftover.js";
import type { Output } from "./collector/output.js";
import { MemoryKills, type Counts as MemoryKillCounts } from "./collector/memory-kills.js";
import type { Settings } from "./config/settings.js";
import type { Effect } from "./core/effect.js";
import type { Event } from "./core/event.js";
import type { Build, ExecutableFacts, Run } from "./core/values.js";
import { environmentOfRun } from "./environment.js";
import { unreachable } from "./lib/check.js";
import type { Clock } from "./lib/clock.js";
import { messageOf } from "./lib/error.js";
import type { Logger } from "./lib/log.js";
import type { KnownExecutable } from "./known-executable.js";
import type { ExtensionServer } from "./opamp/extension.js";
import { Preparer } from "./preparer.js";
import { Redactor } from "./redactor.js";
import type { KeptConfigs } from "./storage/kept-configs.js";
import type { Store } from "./storage/store.js";

/** From SIGTERM to SIGKILL, as the Go supervisor waits. */
export const STOP_GRACE_MS = 10_000;
/** The Collector reports healthy a moment before it listens to signals: a SIGHUP in between would end it, undrained. */
const RELOAD_SETTLE_MS = 50;
/** What a reason quotes of the Collector's output by default: the cause stands in its last line, what comes before is mostly routine. */
const TAIL_BYTES_MAX = 2_048;
const TAIL_LINES_MAX = 5;
const SECRET_BYTES = 32;

export interface PerformerEdges {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly kept: KeptConfigs;
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
  readonly #preparer: Preparer;
  readonly #memoryKills = new MemoryKills();
  /** Reports are redacted one after the other, so that they arrive in their order. */
  #reporting: Promise<void> = Promise.resolve();

  constructor(edges: PerformerEdges) {
    this.#edges = edges;
    this.#redactor = new Redactor({ env: { ...edges.env, ...edges.settings.agent.env }, log: edges.log });
    this.#preparer = new Preparer({ ...edges, redactor: this.#redactor, signal: this.#lifetime.signal, currentFacts: () => this.#currentFacts() });
  }

  perform(effect: Effect): void {
    switch (effect.do) {
      case "describe-executable":
        return void this.#describe();
      case "prepare-config":
        return void this.#preparer.prepare(effect);
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

  async #start(attempt: number, run: Run): Promise<void> {
    const { clock, env, extension, extensionPort, log, output, pdeathsig, post, settings, store } = this.#edges;
    const secret = randomBytes(SECRET_BYTES).toString("hex");
    try {
      const facts = await this.#currentFacts();
      await this.#activate(run.build);
      extension.expect(attempt, secret, run.build.instanceUid);
      output.mark();
      // Not waited for: no Collector runs meanwhile.
      const killsBefore = this.#memoryKills.mark();
      this.#running = run.build;
      this.#redactor.hide(secret);
      announceCollector(settings.storage.directory, log);
      const process = await startCollector({
        attempt,
        executable: settings.agent.executable,
        args: collectorArguments({ configPath: store.paths.effective, allowsNoPipelines: facts.allowsNoPipelines, args: settings.agent.args }),
        env: environmentOfRun(settings, env, extensionPort, secret),
        output,
        clock,
        log,
        pdeathsig,
      });
      this.#process = process;
      this.#stopping = false;
      recordCollector(settings.storage.directory, process.pid, log);
      this.#keep(attempt, run.build);
      post({ is: "collector-started", attempt, pid: process.pid, startTimeUnixNano: process.startTimeUnixNano });
      log.debug("Collector process started", { attempt, pid: process.pid });
      void this.#watch(process, killsBefore);
    } catch (error) {
      forgetCollector(settings.storage.directory);
      post({ is: "collector-not-started", attempt, error: messageOf(error) });
    }
  }

  async #watch(process: CollectorProcess, killsBefore: Promise<MemoryKillCounts>): Promise<void> {
    const { post, settings, log } = this.#edges;
    const { code, signal } = await process.exited;
    log.debug("Collector process ended", { attempt: process.attempt, pid: process.pid, exit_code: code, signal });
    this.#process = null;
    forgetCollector(settings.storage.directory);
    const composed = this.#running?.prepared.text ?? "";
    if (this.#stopping) return post({ is: "collector-exited", attempt: process.attempt, exit: { code, signal, memoryKill: "none", tail: "" } });
    const memoryKill = await this.#memoryKills.judge({ code, signal }, await killsBefore);
    const tail = await this.#redactor.output(await this.#lastWords(), composed);
    post({ is: "collector-exited", attempt: process.attempt, exit: { code, signal, memoryKill, tail } });
  }

  async #lastWords(): Promise<string> {
    const { output, settings } = this.#edges;
    const kib = settings.agent.collectorCrashLogSnippetKib;
    if (kib === null) return output.tail(TAIL_BYTES_MAX, TAIL_LINES_MAX);
    return kib === 0 ? "" : output.tail(kib * 1_024, Number.POSITIVE_INFINITY);
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
      // Its end is news of its own.
      if (this.#process === null) return;
      this.#process.reload();
      this.#keep(attempt, run.build);
      post({ is: "collector-reloaded", attempt });
    } catch (error) {
      post({ is: "collector-not-reloaded", attempt, error: messageOf(error) });
    }
  }

  #keep(attempt: number, { prepared: { digest, remoteHash, text } }: Build): void {
    this.#edges.kept.ran({ attempt, digest, hash: remoteHash, text });
  }

  /** A text that is staged already, or in place, costs nothing: a crash restart writes nothing. */
  async #activate(build: Build): Promise<void> {
    const { store } = this.#edges;
    store.activateEffective(await store.stageEffective(build.prepared.text));
  }
}
