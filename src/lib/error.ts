/**
 * The one error class of the supervisor. Foreign errors (ENOENT of a spawn, a close code of ws, a zod issue) are
 * converted into it once, at the edge that meets them; inside, nobody inspects a foreign error.
 */
export type ErrorCode =
  | "usage"
  | "settings"
  | "storage"
  | "storage-locked"
  | "executable"
  | "config-refused"
  | "config-too-large"
  | "spawn"
  | "extension"
  | "server"
  | "aborted";

export class SupervisorError extends Error {
  override readonly name = "SupervisorError";
  readonly code: ErrorCode;

  /** @param message lower case, names the thing and what to do about it. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The text of anything that was thrown, for a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
