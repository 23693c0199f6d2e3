/**
 * Everything that survives the supervisor, in one directory that belongs to it alone. What the core wants to remember is
 * durable once `save` resolves; where saving fails the old files stay and the next `save` brings all of it.
 */
import { join } from "node:path";
import type { Memory } from "../core/memory.js";
import type { RememberedFacts } from "../core/values.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { replaceFiles } from "./atomic.js";
import { renderCollectorFacts } from "./collector-facts.js";
import { openDirectory, sweep, unusable } from "./directory.js";
import { nodeFileSystem, type FileSystem } from "./file-system.js";
import { Ledger } from "./ledger.js";
import { loadFiles, type Loaded } from "./load.js";
import { acquireLock, type Lock } from "./lock.js";
import * as names from "./names.js";
import { Staging } from "./staging.js";
import { storageError } from "./storage-error.js";
import { parseUuid } from "./uuid.js";

export interface StoreOptions {
  /** Absolute. */
  readonly directory: string;
  /** `agent.instance_id`: counts only while there is no stored identity. */
  readonly configuredInstanceId: string | null;
  /** False: remote configurations are neither read nor touched. */
  readonly acceptsRemoteConfig: boolean;
  readonly log: Logger;
  /** A new UUIDv7 in canonical text. */
  readonly newInstanceUid: () => string;
  readonly fileSystem?: FileSystem;
}

export interface StorePaths {
  readonly directory: string;
  readonly effective: string;
  readonly agentLog: string;
}

export interface LoadedStore {
  readonly memory: Memory;
  readonly remembered: RememberedFacts | null;
  /** There was no stored identity. */
  readonly firstStart: boolean;
}

export class Store {
  readonly paths: StorePaths;
  readonly #options: StoreOptions;
  readonly #system: FileSystem;
  readonly #lock: Lock;
  readonly #staging: Staging;
  /** One change of the directory at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #ledger: Ledger;
  #remembered = "";

  private constructor(options: StoreOptions, directory: string, system: FileSystem, lock: Lock) {
    this.#options = options;
    this.#system = system;
    this.#lock = lock;
    this.#staging = new Staging(system, directory, options.log);
    this.#ledger = new Ledger(options.acceptsRemoteConfig);
    this.paths = {
      directory,
      effective: join(directory, names.EFFECTIVE),
      agentLog: join(directory, names.AGENT_LOG),
    };
  }

  /** Makes the directory, takes its lock and sweeps it. Rejects with code "storage" or "storage-locked". */
  static async open(options: StoreOptions): Promise<Store> {
    const directory = await openDirectory(options.directory, options.log);
    const lock = await acquireLock(directory, options.log);
    try {
      await sweep(directory, options.log);
      return new Store(options, directory, options.fileSystem ?? nodeFileSystem, lock);
    } catch (error) {
      await lock.release();
      throw await unusable(directory, error);
    }
  }

  /** Once, before anything is saved. A new identity is on disk before it is answered; rejects when that fails. */
  async load(): Promise<LoadedStore> {
    const { acceptsRemoteConfig, log } = this.#options;
    const place = { system: this.#system, directory: this.paths.directory, log };
    const loaded = await loadFiles(place, acceptsRemoteConfig);
    this.#ledger.note(loaded);
    if (loaded.remembered !== null) this.#remembered = renderCollectorFacts(loaded.remembered);
    const { lastReceived, lastWorking, status, isTriedAgain, onProbation, trials, failures, proven } = loaded;
    const instanceUid = this.#identity(loaded);
    const memory: Memory = { instanceUid, lastReceived, lastWorking, status, isTriedAgain, onProbation, trials, failures, proven };
    if (loaded.versions.length === 0) await this.#saveAtStart(memory, loaded.instanceUid === null);
    return { memory, remembered: loaded.remembered, firstStart: loaded.found.state === undefined };
  }

  /** Writes the files whose content changed. Rejects with code "storage": then memory and disk agree again after the next save. */
  async save(memory: Memory): Promise<void> {
    await this.#enqueue(() => this.#save(memory));
  }

  /** Best effort: losing it costs a question to the binary at the next start. */
  async remember(facts: RememberedFacts): Promise<void> {
    const text = renderCollectorFacts(facts);
    if (text === this.#remembered) return;
    try {
      const change = { name: names.COLLECTOR_FACTS, bytes: Buffer.from(text) };
      await this.#enqueue(() => replaceFiles(this.#system, this.paths.directory, [change]));
      this.#remembered = text;
    } catch (error) {
      this.#options.log.warn("What the Collector says of itself cannot be stored", { error: messageOf(error) });
    }
  }

  /**
   * Writes and syncs the configuration that is to run next; answers with its path, for the validator. The path of
   * `effective.yaml` itself when that holds the text already. Rejects with code "storage".
   */
  async stageEffective(text: string): Promise<string> {
    return this.#staging.stage(text);
  }

  /** Puts a staged file in place, the last staged one by default: only a rename, at once. Throws with code "storage". */
  activateEffective(path?: string): void {
    this.#staging.activate(path);
  }

  /** Removes a staged file that will not run, the last staged one by default. */
  async discardStaged(path?: string): Promise<void> {
    await this.#staging.discard(path);
  }

  /** Waits for what is being written and gives the directory free. */
  async close(): Promise<void> {
    await this.#queue;
    await this.#staging.close();
    await this.#lock.release();
  }

  #identity(loaded: Loaded): string {
    const { configuredInstanceId, log, newInstanceUid } = this.#options;
    const configured = configuredInstanceId === null ? null : parseUuid(configuredInstanceId);
    if (loaded.instanceUid === null) {
      const instanceUid = configured ?? newInstanceUid();
      const isLost = loaded.found.state !== undefined;
      if (isLost) log.warn("Instance uid is lost, so the server sees a new agent", { instance_uid: instanceUid });
      return instanceUid;
    }
    if (configured !== null && configured !== loaded.instanceUid) {
      const file = join(this.paths.directory, names.PERSISTENT_STATE);
      log.warn("Stored instance uid differs from agent.instance_id and is kept", { stored: loaded.instanceUid, configured, file });
    }
    return loaded.instanceUid;
  }

  async #saveAtStart(memory: Memory, isNewIdentity: boolean): Promise<void> {
    try {
      await this.save(memory);
    } catch (error) {
      if (isNewIdentity) throw error;
      this.#options.log.warn("Repaired state cannot be stored yet", { error: messageOf(error) });
    }
  }

  async #save(memory: Memory): Promise<void> {
    const { directory } = this.paths;
    const plan = this.#ledger.plan(memory);
    if (plan.changes.length === 0) return;
    try {
      await replaceFiles(this.#system, directory, plan.changes);
    } catch (error) {
      throw storageError("save the state", directory, error);
    }
    this.#ledger.confirm(plan);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
