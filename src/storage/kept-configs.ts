/**
 * `config_history/`: the last configurations that ran, each as a file of its own, and an index that says what became of them. For
 * whoever stands at the host later: nothing is decided by it, so trouble with the disk costs one warning, and the files
 * are written after the Collector was started, never before.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isoTime, type Clock } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { replaceFiles } from "./atomic.js";
import { nodeFileSystem } from "./file-system.js";
import { isLeftover, KEPT_CONFIGS } from "./names.js";
import { readBounded } from "./read-file.js";

export const KEPT_COUNT_MAX = 10;
/** All of them together, the index aside. */
export const KEPT_BYTES_MAX = 32 * 1024 * 1024;
const INDEX = "index.json";
/** When it was started, to the millisecond, since the same may run twice within a second, and the begin of the digest. */
const FILE = /^\d{8}T\d{9}Z-[0-9a-f]{1,12}\.yaml$/;
const INDEX_BYTES_MAX = 1024 * 1024;
const DIRECTORY_MODE = 0o700;
/** What the index quotes of a reason. */
const BECAUSE_CHARS_MAX = 1_000;

/** `healthy`: it was so at least once. `good`: it passed its probation. */
export type KeptResult = "started" | "healthy" | "good" | "failed";

export interface KeptConfig {
  readonly file: string;
  /** Of the composed text without the instance uid. */
  readonly digest: string;
  /** That of the remote configuration in it, null for none. */
  readonly hash: string | null;
  /** The first Collector process that ran it, in the life of the supervisor that started it. */
  readonly attempt: number;
  readonly startedAt: string;
  readonly bytes: number;
  readonly result: KeptResult;
  readonly because: string;
  readonly resultAt: string;
}

export interface KeptConfigsOptions {
  /** The storage directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly countMax?: number;
  readonly bytesMax?: number;
}

export interface RanConfig {
  readonly attempt: number;
  readonly digest: string;
  readonly hash: string | null;
  readonly text: string;
}

export class KeptConfigs {
  readonly #options: KeptConfigsOptions;
  readonly #directory: string;
  /** Oldest first; null before the index was read. */
  #entries: readonly KeptConfig[] | null = null;
  #queue: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: KeptConfigsOptions) {
    this.#options = options;
    this.#directory = join(options.directory, KEPT_CONFIGS);
  }

  /** A Collector was started with it. What ran last already, in this life or the one before, is not written again. Never throws. */
  ran(config: RanConfig): void {
    const startedAt = isoTime(this.#options.clock);
    this.#enqueue(() => this.#add(config, startedAt));
  }

  /** What became of the newest one with that digest. Never throws. */
  result(digest: string, result: KeptResult, because: string): void {
    const resultAt = isoTime(this.#options.clock);
    this.#enqueue(() => this.#judge(digest, result, because.slice(0, BECAUSE_CHARS_MAX), resultAt));
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#queue;
  }

  async #add({ attempt, digest, hash, text }: RanConfig, startedAt: string): Promise<void> {
    const entries = await this.#load();
    if (entries.at(-1)?.digest === digest) return;
    const bytes = Buffer.from(text);
    const file = `${startedAt.replace(/[-:.]/g, "")}-${digest.slice(0, 12)}.yaml`;
    const entry: KeptConfig = { file, digest, hash, attempt, startedAt, bytes: bytes.length, result: "started", because: "", resultAt: startedAt };
    const kept = this.#bounded([...entries.filter((other) => other.file !== file), entry]);
    await replaceFiles(nodeFileSystem, this.#directory, [{ name: file, bytes }, indexOf(kept)]);
    this.#entries = kept;
    await this.#sweep(kept);
  }

  async #judge(digest: string, result: KeptResult, because: string, resultAt: string): Promise<void> {
    const entries = await this.#load();
    const index = entries.findLastIndex((entry) => entry.digest === digest);
    const found = entries[index];
    // What was good once is no less good for having been started again.
    if (found === undefined || found.result === result || (found.result === "good" && result === "healthy")) return;
    const judged = { ...found, result, because, resultAt };
    const kept = entries.with(index, judged);
    await replaceFiles(nodeFileSystem, this.#directory, [indexOf(kept)]);
    this.#entries = kept;
  }

  async #load(): Promise<readonly KeptConfig[]> {
    if (this.#entries !== null) return this.#entries;
    await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    const bytes = await readBounded(join(this.#directory, INDEX), INDEX_BYTES_MAX).catch(() => null);
    this.#entries = bytes === null ? [] : parseIndex(bytes);
    await this.#sweep(this.#entries);
    return this.#entries;
  }

  /** The newest one stays, whatever its size. */
  #bounded(entries: readonly KeptConfig[]): readonly KeptConfig[] {
    const { bytesMax = KEPT_BYTES_MAX, countMax = KEPT_COUNT_MAX } = this.#options;
    let bytes = 0;
    const kept = [...entries].reverse().filter((entry, index) => {
      bytes += entry.bytes;
      return index === 0 || (index < countMax && bytes <= bytesMax);
    });
    return kept.reverse();
  }

  /** Files of ours that the index does not name: the oldest ones, and what a killed supervisor left. */
  async #sweep(entries: readonly KeptConfig[]): Promise<void> {
    const named = new Set(entries.map(({ file }) => file));
    for (const name of await readdir(this.#directory)) {
      const isOurs = FILE.test(name) || isLeftover(name);
      if (isOurs && !named.has(name)) await rm(join(this.#directory, name), { force: true });
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).then(
      () => {
        this.#isFailing = false;
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#options.log.warn("Configurations that ran cannot be kept", { directory: this.#directory, error: messageOf(error) });
        this.#isFailing = true;
      },
    );
  }
}

function indexOf(entries: readonly KeptConfig[]): { name: string; bytes: Buffer } {
  return { name: INDEX, bytes: Buffer.from(`${JSON.stringify(entries, null, 2)}\n`) };
}

/** A damaged index is begun anew, and with it the files: they are for people, and nothing depends on them. */
function parseIndex(bytes: Uint8Array): readonly KeptConfig[] {
  try {
    const entries: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(entries) ? entries.filter(isKeptConfig) : [];
  } catch {
    return [];
  }
}

function isKeptConfig(entry: unknown): entry is KeptConfig {
  if (typeof entry !== "object" || entry === null) return false;
  const { bytes, digest, file } = entry as Partial<Record<keyof KeptConfig, unknown>>;
  return typeof bytes === "number" && typeof digest === "string" && typeof file === "string" && FILE.test(file);
}
