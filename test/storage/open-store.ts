/** Stores on real temporary directories, with a log that can be read back. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Proven } from "../../src/core/memory.js";
import type { RemoteConfig } from "../../src/core/values.js";
import type { Fields, Logger } from "../../src/lib/log.js";
import { Store, type StoreOptions } from "../../src/storage/store.js";

export const NEW_UID = "01900000-0000-7000-8000-000000000001";
export const OTHER_UID = "01900000-0000-7000-8000-000000000002";

/** Removed when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "opampsupervisor-storage-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Fields;
}

export function recordingLogger(lines: Line[]): Logger {
  const at = (level: string) => (message: string, fields: Fields = {}) => void lines.push({ level, message, fields });
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), named: () => log };
  return log;
}

export interface OpenedStore {
  readonly store: Store;
  readonly lines: Line[];
}

/** Closed when the test ends, if not before. */
export async function openStore(directory: string, options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const lines: Line[] = [];
  const store = await Store.open({
    directory,
    configuredInstanceId: null,
    acceptsRemoteConfig: true,
    log: recordingLogger(lines),
    newInstanceUid: () => NEW_UID,
    ...options,
  });
  return { store, lines };
}

/** Opens, loads and closes: what the next life of the supervisor finds. */
export async function reload(directory: string, options: Partial<StoreOptions> = {}) {
  const { store, lines } = await openStore(directory, options);
  try {
    return { ...(await store.load()), lines };
  } finally {
    await store.close();
  }
}

export function remoteConfig(hash: string, files: Readonly<Record<string, string>>): RemoteConfig {
  const encoder = new TextEncoder();
  return {
    hash,
    files: Object.entries(files).map(([name, body]) => ({ name, body: encoder.encode(body), contentType: "text/yaml", role: "" })),
  };
}

/** For comparisons: bodies as text, whatever kind of byte array holds them. */
export function plain(config: RemoteConfig | null): unknown {
  const decoder = new TextDecoder();
  return config && { hash: config.hash, files: config.files.map((file) => ({ ...file, body: decoder.decode(file.body) })) };
}

/** The part of a memory that most stories do not touch. */
export const NO_TRIAL = { isTriedAgain: false, onProbation: null, trials: [], failures: [] } as const;

/** What was proven, with a text of its own. */
export function provenOf(digest: string, executable: string): Proven {
  return { digest, executable, text: `text: "${digest}"\n`, instanceUid: NEW_UID, remoteHash: "aa01" };
}
