/**
 * How a composed configuration becomes `effective.yaml`: written and synced beside it while the old Collector still
 * runs, then put in place by a rename alone. The validator reads the very file that runs later.
 */
import { statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { check } from "../lib/check.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { writeNew } from "./atomic.js";
import { randomPart, type FileSystem } from "./file-system.js";
import { EFFECTIVE, stagedName } from "./names.js";
import { readBounded } from "./read-file.js";
import { storageError } from "./storage-error.js";

/** One is validated, one waits for the Collector to stop, and a newer offer may already follow. */
const STAGED_FILES_MAX = 4;
const EFFECTIVE_BYTES_MAX = 256 * 1024 * 1024;
const FILE_MODE = 0o600;

interface Staged {
  readonly text: string;
  readonly path: string;
  readonly written: Promise<void>;
  durable: boolean;
}

interface Active {
  readonly text: string;
  readonly mark: string;
}

export class Staging {
  readonly #system: FileSystem;
  readonly #directory: string;
  readonly #effective: string;
  readonly #log: Logger;
  /** The one asked for last comes last. */
  #staged: Staged[] = [];
  /** What `effective.yaml` holds as far as we know, and what the file looked like then. */
  #active: Active | null = null;
  #lookedAtStart = false;
  /** What `activate` without a path puts in place. */
  #next: string | null = null;
  #syncing: Promise<void> = Promise.resolve();

  constructor(system: FileSystem, directory: string, log: Logger) {
    this.#system = system;
    this.#directory = directory;
    this.#effective = join(directory, EFFECTIVE);
    this.#log = log;
  }

  /** Answers with the file that holds the text, durable: a staged one, or `effective.yaml` when it holds it already. */
  async stage(text: string): Promise<string> {
    if (!this.#lookedAtStart) await this.#lookAtStart(text);
    if (this.#active?.text === text && this.#active.mark === this.#mark()) return (this.#next = this.#effective);
    const staged = this.#again(text) ?? this.#write(text);
    this.#next = staged.path;
    try {
      await staged.written;
    } catch (error) {
      this.#forget(staged.path);
      throw storageError("write the Collector's configuration", this.#directory, error);
    }
    return staged.path;
  }

  /** A rename and nothing else: no Collector runs meanwhile. Throws with code "storage". */
  activate(path = this.#next): void {
    if (path === this.#effective) return;
    const staged = this.#staged.find((file) => file.path === path);
    check(staged?.durable === true, "activateEffective before stageEffective has resolved");
    this.#forget(staged.path);
    try {
      this.#system.renameNow(staged.path, this.#effective);
    } catch (error) {
      void this.#system.remove(staged.path).catch(() => undefined);
      throw storageError("put the Collector's configuration in place", this.#directory, error);
    }
    this.#active = { text: staged.text, mark: this.#mark() };
    this.#next = this.#effective;
    this.#syncing = this.#system.syncDirectory(this.#directory).catch((error: unknown) => {
      this.#log.warn("Configuration of the Collector is not durable yet", { file: this.#effective, error: messageOf(error) });
    });
  }

  /** Removes what will not run: the file at `path`, or the one that was staged last. */
  async discard(path = this.#next): Promise<void> {
    if (path === null || path === this.#effective) return;
    const staged = this.#staged.find((file) => file.path === path);
    this.#forget(path);
    await staged?.written.catch(() => undefined);
    await this.#system.remove(path).catch((error: unknown) => {
      this.#log.warn("A staged configuration cannot be removed", { file: path, error: messageOf(error) });
    });
  }

  async close(): Promise<void> {
    await this.#syncing;
    for (const { path } of [...this.#staged]) await this.discard(path);
  }

  /** It is needed once more, so it goes last: a validator may be about to read it. */
  #again(text: string): Staged | null {
    const staged = this.#staged.find((file) => file.text === text);
    if (staged === undefined) return null;
    this.#staged = [...this.#staged.filter((file) => file !== staged), staged];
    return staged;
  }

  #write(text: string): Staged {
    const path = join(this.#directory, stagedName(randomPart()));
    const written = this.#writeFile(path, text).then(() => {
      staged.durable = true;
    });
    const staged: Staged = { text, path, written, durable: false };
    this.#staged.push(staged);
    const [oldest] = this.#staged;
    if (this.#staged.length > STAGED_FILES_MAX && oldest !== undefined) void this.discard(oldest.path);
    return staged;
  }

  async #writeFile(path: string, text: string): Promise<void> {
    try {
      await writeNew(this.#system, path, Buffer.from(text));
    } catch (error) {
      await this.#system.remove(path).catch(() => undefined);
      throw error;
    }
  }

  #forget(path: string): void {
    this.#staged = this.#staged.filter((file) => file.path !== path);
    if (this.#next === path) this.#next = null;
  }

  /** After a restart the file often holds what is about to run: then nothing needs to be written. */
  async #lookAtStart(text: string): Promise<void> {
    this.#lookedAtStart = true;
    try {
      const { mode } = statSync(this.#effective);
      const bytes = await readBounded(this.#effective, EFFECTIVE_BYTES_MAX);
      const same = bytes !== null && (mode & 0o777) === FILE_MODE && Buffer.from(text).equals(bytes);
      if (same) this.#active = { text, mark: this.#mark() };
    } catch {
      // Absent or unusable: it will be replaced.
    }
  }

  /** Changes when somebody else touches the file. */
  #mark(): string {
    let stats: Stats;
    try {
      stats = statSync(this.#effective);
    } catch {
      return "";
    }
    return `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.mode}`;
  }
}
