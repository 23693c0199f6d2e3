/** Turns an error of the file system into one that a person can act on: the file, the cause and the remedy. */
import { messageOf, SupervisorError } from "../lib/error.js";

/** @param doing what failed, e.g. "save the state". */
export function storageError(doing: string, path: string, error: unknown): SupervisorError {
  if (error instanceof SupervisorError) return error;
  const remedy = remedyFor(errnoOf(error), path);
  return new SupervisorError("storage", `cannot ${doing} in ${path}: ${messageOf(error)}; ${remedy}`, { cause: error });
}

/** The system's name of the error, e.g. "ENOSPC", or "" for any other. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function remedyFor(errno: string, path: string): string {
  switch (errno) {
    case "ENOSPC":
    case "EDQUOT":
      return "free space (or inodes, or quota) there";
    case "EROFS":
      return "the file system is read-only: remount it writable or set storage.directory to another place";
    case "EACCES":
    case "EPERM":
      return "give the directory to the user that runs the supervisor or set storage.directory to another place";
    case "ENOENT":
      return `it is gone: make ${path} available again and restart the supervisor`;
    case "ENOTDIR":
    case "EEXIST":
      return "a file stands where a directory belongs: move it away or set storage.directory to another place";
    case "EISDIR":
    case "ENOTEMPTY":
      return "a directory stands where a file belongs: move it away";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open: raise the limit (LimitNOFILE, ulimit -n)";
    default:
      return "check the disk";
  }
}
