/** Problems of the executable file itself, found before or after an attempt to run it, each with its remedy. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import type { ErrorCode } from "../lib/error.js";
import { messageOf, SupervisorError } from "../lib/error.js";

/**
 * Throws a `SupervisorError` when the file cannot be run. Needed where another program (setpriv) runs it, since the
 * system's answer then reaches nobody. It costs microseconds.
 */
export function checkExecutable(path: string, code: ErrorCode): void {
  try {
    if (statSync(path).isDirectory()) throw new SupervisorError(code, `${path} is a directory; agent.executable must name the Collector's binary`);
    accessSync(path, constants.X_OK);
  } catch (error) {
    if (error instanceof SupervisorError) throw error;
    throw spawnError(path, error, code);
  }
}

/** The system's refusal to run a program, in words. */
export function spawnError(path: string, error: unknown, code: ErrorCode): SupervisorError {
  return new SupervisorError(code, `cannot run ${path}: ${reasonOf(path, error)}`, { cause: error });
}

function reasonOf(path: string, error: unknown): string {
  const name = (error as NodeJS.ErrnoException | null)?.code ?? "";
  if (name === "ENOENT" && existsSync(path)) {
    return "the file is there, but the interpreter or dynamic loader that it names is not; is it built for this system and C library?";
  }
  return REASONS.get(name) ?? messageOf(error);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file; correct agent.executable, or install the Collector there"],
  ["ENOTDIR", "a part of the path is not a directory; correct agent.executable"],
  ["EACCES", "permission denied; make it executable for the supervisor's user (chmod +x), on a file system not mounted noexec"],
  ["EPERM", "the system does not permit it; check security modules, and capabilities set on the file"],
  ["ENOEXEC", "it is not a program for this system or processor; agent.executable must name the Collector's binary"],
  ["ETXTBSY", "something still writes to the file; wait until its installation has ended"],
  ["E2BIG", "agent.args and the environment together are larger than the system allows; shorten them"],
  ["EAGAIN", "the limit of processes is reached; raise it (ulimit -u, TasksMax) or end some"],
  ["ENOMEM", "the system is out of memory"],
  ["EMFILE", "the supervisor's limit of open files is reached; raise it (ulimit -n, LimitNOFILE)"],
  ["ENFILE", "the system's limit of open files is reached"],
  ["ELOOP", "its symbolic links form a loop; correct agent.executable"],
  ["EIO", "the file could not be read; check the disk"],
]);
