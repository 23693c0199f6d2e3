/** A file system that counts its operations and ends badly at a chosen one. */
import { nodeFileSystem, type FileSystem } from "../../src/storage/file-system.js";

export interface FailingFileSystem extends FileSystem {
  /** Counts from 1; 0 = never. Resets the count. */
  arm(failAt: number, mode: "fails-once" | "dies"): void;
  readonly count: () => number;
}

/** "fails-once": that operation finds the disk full. "dies": it and everything after it never happens, clean-up included. */
export function failingFileSystem(): FailingFileSystem {
  let count = 0;
  let failAt = 0;
  let dies = false;
  const step = (): void => {
    count += 1;
    if (failAt !== 0 && (count === failAt || (dies && count > failAt))) throw noSpace();
  };
  return {
    arm(at, mode) {
      count = 0;
      failAt = at;
      dies = mode === "dies";
    },
    count: () => count,
    async create(path) {
      step();
      const file = await nodeFileSystem.create(path);
      return {
        async write(bytes) {
          try {
            step();
          } catch (error) {
            // A full disk takes the beginning.
            await file.write(bytes.subarray(0, bytes.length / 2));
            throw error;
          }
          await file.write(bytes);
        },
        async sync() {
          step();
          await file.sync();
        },
        close: () => file.close(),
      };
    },
    async rename(from, to) {
      step();
      await nodeFileSystem.rename(from, to);
    },
    renameNow(from, to) {
      step();
      nodeFileSystem.renameNow(from, to);
    },
    async remove(path) {
      step();
      await nodeFileSystem.remove(path);
    },
    async syncDirectory(path) {
      step();
      await nodeFileSystem.syncDirectory(path);
    },
  };
}

function noSpace(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}
