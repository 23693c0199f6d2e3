/**
 * Reads a file of the storage directory without trusting it: bounded, never waiting on a pipe, and what cannot be used
 * is set aside under another name, with one warning that says what is lost. No damaged file is ever fatal.
 */
import { constants } from "node:fs";
import { access, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import type { FileSystem } from "./file-system.js";
import { damagedName } from "./names.js";
import { errnoOf, storageError } from "./storage-error.js";

/** The first ones are kept for whoever looks into it, the last place takes the newest. */
export const DAMAGED_FILES_MAX = 5;

export type Reading<T> =
  | { readonly is: "absent" }
  | { readonly is: "damaged" }
  | { readonly is: "read"; readonly bytes: Uint8Array; readonly value: T };

export interface Place {
  readonly system: FileSystem;
  readonly directory: string;
  readonly log: Logger;
}

export interface FileKind<T> {
  readonly name: string;
  readonly bytesMax: number;
  /** What a person loses with it, for the warning. */
  readonly loses: string;
  /** Throws when the bytes are not what they should be. */
  readonly parse: (bytes: Uint8Array) => T;
}

/** Rejects only when it is not the file's fault, e.g. too many open files. */
export async function readFile<T>(place: Place, kind: FileKind<T>): Promise<Reading<T>> {
  const path = join(place.directory, kind.name);
  try {
    const bytes = await readBounded(path, kind.bytesMax);
    if (bytes === null) return { is: "absent" };
    return { is: "read", bytes, value: kind.parse(bytes) };
  } catch (error) {
    if (["EMFILE", "ENFILE", "ENOMEM"].includes(errnoOf(error))) throw storageError("read the state", path, error);
    await setAside(place, kind, messageOf(error));
    return { is: "damaged" };
  }
}

/** Renames the file so that it is out of the way but not lost. */
export async function setAside(place: Place, kind: Pick<FileKind<unknown>, "name" | "loses">, problem: string): Promise<void> {
  const path = join(place.directory, kind.name);
  const fields = { file: path, problem, lost: kind.loses };
  for (let number = await firstFree(path); number >= 1; number--) {
    try {
      await place.system.rename(path, damagedName(path, number));
      place.log.warn("A damaged file was set aside", { ...fields, kept_as: damagedName(path, number) });
      return;
    } catch (error) {
      // A directory there cannot be replaced by a file: try the place before it.
      if (!["EISDIR", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(errnoOf(error))) break;
    }
  }
  place.log.warn("A damaged file is ignored, and it cannot be renamed", fields);
}

async function firstFree(path: string): Promise<number> {
  for (let number = 1; number < DAMAGED_FILES_MAX; number++) {
    try {
      await access(damagedName(path, number), constants.F_OK);
    } catch {
      return number;
    }
  }
  return DAMAGED_FILES_MAX;
}

/** Null when there is no such file. */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | null> {
  let handle;
  try {
    // Without O_NONBLOCK a named pipe in place of the file would hold the supervisor up for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error("it is not a regular file");
    if (stats.size > bytesMax) throw new Error(`it has ${stats.size} bytes, more than ${bytesMax}`);
    if (stats.size === 0) throw new Error("it is empty");
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
