/**
 * Durable replacement of files: temporary files beside their targets, written and synced, then renamed, then the
 * directory synced. A reader, and a machine that loses power, sees each file old or new, never half. A symbolic link in
 * place of a target is replaced, not followed: the files belong into this directory.
 */
import { join } from "node:path";
import { randomPart, type FileSystem } from "./file-system.js";
import { temporaryName } from "./names.js";

export interface Change {
  readonly name: string;
  /** Null removes the file. */
  readonly bytes: Uint8Array | null;
}

/**
 * Everything is on disk under temporary names before the first target changes, so that a full disk changes nothing. The
 * targets then change in the order given. Rejects with the system's error; what was not renamed yet is removed.
 */
export async function replaceFiles(system: FileSystem, directory: string, changes: readonly Change[]): Promise<void> {
  const steps = changes.map(({ name, bytes }) => ({
    target: join(directory, name),
    temporary: join(directory, temporaryName(name, randomPart())),
    bytes,
  }));
  try {
    await settled(steps.flatMap(({ temporary, bytes }) => (bytes === null ? [] : [writeNew(system, temporary, bytes)])));
    for (const { temporary, target, bytes } of steps) {
      if (bytes === null) await system.remove(target);
      else await system.rename(temporary, target);
    }
    await system.syncDirectory(directory);
  } catch (error) {
    await Promise.allSettled(steps.map(({ temporary }) => system.remove(temporary)));
    throw error;
  }
}

/** Writes and syncs a file that did not exist; its name is durable only once the directory is synced. */
export async function writeNew(system: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await system.create(path);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Waits for all, also when one fails, so that nothing is still being written when the clean-up begins. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
