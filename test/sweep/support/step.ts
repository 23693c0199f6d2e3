/** One operation that changes the storage directory, as the program announces it and waits for leave. */
export interface Step {
  readonly phase: "before" | "after";
  readonly does: "create" | "write" | "cut" | "sync" | "rename" | "remove" | "sync-directory";
  /** Within the storage directory; "" is the directory itself. */
  readonly name: string;
  /** The new name; only for a rename. */
  readonly to?: string;
}

/** Said once when the hook is armed: from here on each operation is a step. */
export interface Armed {
  /** What stood in the file that arms. */
  readonly armed: string;
}

/** What the parent answers. "full": the operation fails as on a full disk. No answer at all: the program stands still. */
export type Leave = "go" | "full";

/** For people, and to compare courses: the random part of a name says nothing. */
export function wordsOf({ phase, does, name, to }: Step): string {
  const object = to === undefined ? plainName(name) : `${plainName(name)} to ${plainName(to)}`;
  return `${phase} ${does}${object === "" ? "" : ` ${object}`}`;
}

export function plainName(name: string): string {
  return name.replace(/[0-9a-f]{12}/g, "*");
}
