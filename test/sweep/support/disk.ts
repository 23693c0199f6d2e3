/**
 * What a power loss leaves of the storage directory. It knows from the announced steps what was synced, and nothing
 * else: content counts once its file was synced, and what a directory holds once that directory was.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "./step.js";

/**
 * "lost": everything that was not synced is gone, names included. "torn": the names survive, as file systems with a
 * journal for names alone have it, and of what was written without a sync half is there.
 */
export type Loss = "lost" | "torn";
export type Image = ReadonlyMap<string, Buffer>;

/** One file, whatever its name. */
interface File {
  synced: Buffer;
}

/** Every method is to be called while the program stands still, or is dead. */
export class Disk {
  readonly #directory: string;
  readonly #names: Map<string, File>;
  #durableNames: ReadonlyMap<string, File>;

  /** What lies there now is durable. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#names = new Map(filesIn(directory).map((name) => [name, { synced: this.#read(name) }]));
    this.#durableNames = new Map(this.#names);
  }

  note({ phase, does, name, to }: Step): void {
    if (phase === "before") return;
    if (does === "sync-directory") this.#durableNames = new Map(this.#names);
    if (does === "create" || (does === "write" && !this.#names.has(name))) this.#names.set(name, { synced: Buffer.alloc(0) });
    if (does === "sync") this.#file(name).synced = this.#read(name);
    if (does === "rename" && to !== undefined) this.#names.set(to, this.#file(name));
    if (does === "rename" || does === "remove") this.#names.delete(name);
  }

  /** What the next start finds. */
  after(loss: Loss): Image {
    if (loss === "lost") return new Map([...this.#durableNames].map(([name, { synced }]) => [name, synced]));
    return new Map([...this.#names].map(([name, { synced }]) => [name, torn(synced, this.#read(name))]));
  }

  /** Names that are there and unknown, or known and not there: then an operation went past the hook. */
  strangers(): string[] {
    const there = filesIn(this.#directory);
    return [...there.filter((name) => !this.#names.has(name)), ...[...this.#names.keys()].filter((name) => !there.includes(name))];
  }

  #file(name: string): File {
    const file = this.#names.get(name);
    if (file === undefined) throw new Error(`${name} came into being without the hook`);
    return file;
  }

  #read(name: string): Buffer {
    return readFileSync(join(this.#directory, name));
  }
}

/** The only folder in it holds what ran once, for people: it is no state. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

export function imageOf(directory: string): Image {
  return new Map(filesIn(directory).map((name) => [name, readFileSync(join(directory, name))]));
}

/** Makes the directory hold that and nothing else. */
export async function restore(directory: string, image: Image): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
  for (const [name, bytes] of image) await writeFile(join(directory, name), bytes, { mode: 0o600 });
}

function torn(synced: Buffer, written: Buffer): Buffer {
  return synced.equals(written) ? synced : written.subarray(0, Math.floor((synced.length + written.length) / 2));
}
