/**
 * The storage directory itself: made where it is missing, closed to others where it is safe to do so, and swept of what
 * a supervisor that was killed left half done.
 */
import { chmod, mkdir, readdir, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, SupervisorError } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { isLeftover, isOurs } from "./names.js";
import { errnoOf, storageError } from "./storage-error.js";

const DIRECTORY_MODE = 0o700;
const OTHERS = 0o077;

/** Makes the directory and its parents. Answers with its real path; rejects with code "storage". */
export async function openDirectory(directory: string, log: Logger): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const path = await realpath(directory);
    await closeToOthers(path, log);
    return path;
  } catch (error) {
    throw await unusable(directory, error);
  }
}

/** Says who we are and whose the directory is: with that, a person sees the remedy. */
export async function unusable(directory: string, error: unknown): Promise<SupervisorError> {
  if (!["EACCES", "EPERM"].includes(errnoOf(error))) return storageError("use the storage directory", directory, error);
  const us = process.geteuid?.() ?? "unknown";
  let whose = "";
  try {
    const { mode, uid } = await stat(directory);
    whose = ` (mode 0${(mode & 0o777).toString(8)}, owner uid ${uid})`;
  } catch {
    // It does not exist: the parent refuses us, and the message of the system says so.
  }
  return new SupervisorError(
    "storage",
    `storage.directory ${directory}${whose} is not usable for uid ${us}: ${messageOf(error)}; ` +
      "give it to the user that runs the supervisor (chown) or set storage.directory to another place",
    { cause: error },
  );
}

/** Removes temporary files. Only the holder of the lock may call it. */
export async function sweep(directory: string, log: Logger): Promise<void> {
  const names = (await readdir(directory)).filter(isLeftover);
  for (const name of names) {
    try {
      await rm(join(directory, name), { force: true });
    } catch (error) {
      log.warn("A leftover file cannot be removed", { file: join(directory, name), error: messageOf(error) });
    }
  }
}

/** A directory that holds other things too, such as /var/lib, must never be closed. */
async function closeToOthers(directory: string, log: Logger): Promise<void> {
  const { mode, uid } = await stat(directory);
  if ((mode & OTHERS) === 0 || process.platform === "win32") return;
  const remedy = `chmod 700 ${directory}`;
  const fields = { directory, mode: `0${(mode & 0o777).toString(8)}` };
  if (uid !== process.geteuid?.()) return log.warn("Storage directory is open to others and not ours to close", { ...fields, owner_uid: uid, remedy });
  const foreign = (await readdir(directory)).find((name) => !isOurs(name));
  if (foreign !== undefined) {
    return log.warn("Storage directory is open to others and holds other files, so it is left open", { ...fields, foreign, remedy });
  }
  await chmod(directory, DIRECTORY_MODE);
  log.info("Storage directory was open to others and is closed now", fields);
}
