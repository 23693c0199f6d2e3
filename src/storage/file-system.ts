/**
 * The few operations that change the storage directory, in one place, so that a test can make any of them fail or end
 * the process between any two.
 */
import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";

export interface FileSystem {
  /** Makes a file that did not exist, mode 0600. */
  create(path: string): Promise<NewFile>;
  rename(from: string, to: string): Promise<void>;
  /** The same without a turn of the event loop, for the moment in which no Collector runs. */
  renameNow(from: string, to: string): void;
  /** Removes a file; one that is gone already is fine. */
  remove(path: string): Promise<void>;
  /** Makes renames and removals in this directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

const FILE_MODE = 0o600;

export const nodeFileSystem: FileSystem = {
  async create(path) {
    const handle = await open(path, "wx", FILE_MODE);
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  renameNow: renameSync,
  remove: (path) => rm(path, { force: true }),
  async syncDirectory(path) {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      // Windows cannot open a directory; there a rename is durable without.
      if (process.platform === "win32") return;
      throw error;
    }
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** For names that must not collide with those of another life of the supervisor. */
export function randomPart(): string {
  return randomBytes(6).toString("hex");
}
