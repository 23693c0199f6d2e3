/**
 * The configurations that people saved, one file for each agent, so that a restart of the server forgets none and thus
 * takes none away from anybody. Without a directory they live in memory.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "./replace-file.js";
import type { RemoteConfig } from "./remote-config.js";

const storedSchema = z.object({
  hash: z.string().regex(/^([0-9a-f]{2})*$/),
  files: z.array(z.object({ name: z.string(), body: z.string(), contentType: z.string(), role: z.string() })),
});

export class ConfigStore {
  readonly #directory: string | null;
  readonly #configs = new Map<string, RemoteConfig>();
  /** One write at a time, in the order of the calls. */
  #written: Promise<void> = Promise.resolve();
  /** Files that could not be read, and why. */
  readonly damaged: string[] = [];

  constructor(directory: string | null) {
    this.#directory = directory;
    if (directory === null) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(directory).filter((name) => name.endsWith(".json"))) this.#load(join(directory, file), file.slice(0, -5));
  }

  find(uid: string): RemoteConfig | undefined {
    return this.#configs.get(uid);
  }

  async save(uid: string, config: RemoteConfig): Promise<void> {
    this.#configs.set(uid, config);
    if (this.#directory === null) return;
    const path = join(this.#directory, `${uid}.json`);
    const text = JSON.stringify({ hash: Buffer.from(config.hash).toString("hex"), files: config.files }, null, 2);
    await this.#afterOthers(() => replaceFile(path, `${text}\n`, 0o600));
  }

  async remove(uid: string): Promise<void> {
    this.#configs.delete(uid);
    if (this.#directory === null) return;
    const path = join(this.#directory, `${uid}.json`);
    await this.#afterOthers(() => rm(path, { force: true }));
  }

  #afterOthers(work: () => Promise<void>): Promise<void> {
    const done = this.#written.then(work);
    this.#written = done.catch(() => undefined);
    return done;
  }

  /** A damaged file must not keep the server from starting; the agent concerned goes on with what it has. */
  #load(path: string, uid: string): void {
    try {
      const { hash, files } = storedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
      this.#configs.set(uid, { hash: Uint8Array.from(Buffer.from(hash, "hex")), files });
    } catch (error) {
      this.damaged.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
