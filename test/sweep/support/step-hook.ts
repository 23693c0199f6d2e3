/**
 * Preloaded into the built program (NODE_OPTIONS=--import), never a part of it. Each operation that changes the storage
 * directory is announced on a pipe before and after, and the program stands still until its parent answers: so it can
 * be killed at exactly that step. Operations go one after the other, as if the disk had a single arm; else nobody could
 * say what is on it while one is announced. It does nothing while the file `SWEEP_ARMED` is absent; once there, it is
 * armed as soon as nothing is under way that was begun before: that would change the disk while the program stands still.
 */
import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { relative } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { Armed, Leave, Step } from "./step.js";

type Operation = Omit<Step, "phase">;
type Change = (...args: unknown[]) => unknown;

/** How often it looks whether it is to be armed; between two looks nothing may have been under way. */
const LOOK_MS = 10;
const { existsSync, openSync, readFileSync, readSync, writeSync } = fs;
const { SWEEP_ARMED: armed = "", SWEEP_DIRECTORY: directory = "", SWEEP_DOWN: down = "", SWEEP_UP: up = "" } = process.env;
const { O_CREAT, O_TRUNC } = fs.constants;

// The Collector is a Node program too, and must not be held up.
for (const name of ["NODE_OPTIONS", "SWEEP_ARMED", "SWEEP_DIRECTORY", "SWEEP_DOWN", "SWEEP_UP"]) Reflect.deleteProperty(process.env, name);
if (isMainThread && directory !== "") hook(openSync(up, "w"), openSync(down, "r"));

function hook(upPipe: number, downPipe: number): void {
  let queue: Promise<unknown> = Promise.resolve();
  /** What stands in the file, each time it is armed something else; "" is disarmed. */
  let armedAs = "";
  /** Operations that have not ended. */
  let underWay = 0;
  let begun = 0;
  let begunAtLastLook = 0;

  function isArmed(): boolean {
    return armedAs !== "" && armedAs === wanted();
  }

  /** What follows from an operation begins in the same turn of the event loop, so a save is over when nothing is under way. */
  function look(): void {
    const isQuiet = underWay === 0 && begun === begunAtLastLook;
    begunAtLastLook = begun;
    const as = wanted();
    if (!isQuiet || as === "" || as === armedAs) return;
    armedAs = as;
    writeSync(upPipe, `${JSON.stringify({ armed: as } satisfies Armed)}\n`);
  }

  /** Until it has ended nothing is armed. */
  async function counted<T>(work: () => T | Promise<T>): Promise<T> {
    underWay += 1;
    begun += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
    }
  }

  function announce(step: Step): Leave {
    writeSync(upPipe, `${JSON.stringify(step)}\n`);
    const answer = Buffer.alloc(1);
    readSync(downPipe, answer);
    return answer.toString() === "f" ? "full" : "go";
  }

  /** What the call that is under way does: to append, Node calls its own write, which is no step of its own. */
  let under: Operation["does"] | null = null;

  function now<T>(operation: Operation | null, work: () => T): T {
    if (operation === null || operation.does === under || !isArmed()) return work();
    if (announce({ phase: "before", ...operation }) === "full") throw noSpace(operation);
    const above = under;
    under = operation.does;
    try {
      const result = work();
      announce({ phase: "after", ...operation });
      return result;
    } finally {
      under = above;
    }
  }

  /** @param half what a full disk still takes. */
  async function inTurn<T>(operation: Operation | null, work: () => T | Promise<T>, half?: () => Promise<unknown>): Promise<T> {
    if (operation === null) return work();
    if (!isArmed()) return counted(work);
    const done = queue.then(async () => {
      if (announce({ phase: "before", ...operation }) === "full") {
        await half?.();
        throw noSpace(operation);
      }
      const result = await work();
      announce({ phase: "after", ...operation });
      return result;
    });
    queue = done.catch(() => undefined);
    return counted(() => done);
  }

  function replace(target: object, name: string, wrap: (original: Change) => Change): void {
    const original = Reflect.get(target, name) as Change;
    Reflect.set(target, name, wrap(original.bind(target)));
  }

  /** The functions of one kind, of which each comes as `nameSync` and as a promise. */
  function both(name: string, operationOf: (path: unknown, other: unknown) => Operation | null): void {
    replace(fs, `${name}Sync`, (original) => (...args) => now(operationOf(args[0], args[1]), () => original(...args)));
    replace(fs.promises, name, (original) => (...args) => inTurn(operationOf(args[0], args[1]), () => original(...args)));
  }

  function watch(handle: FileHandle, name: string): FileHandle {
    const whole = handle.writeFile.bind(handle);
    const half = (data: unknown) => (): Promise<unknown> => (data instanceof Uint8Array ? whole(data.subarray(0, data.length / 2)) : Promise.resolve());
    for (const method of ["writeFile", "appendFile", "write"]) {
      replace(handle, method, (original) => (...args) => inTurn({ does: "write", name }, () => original(...args), half(args[0])));
    }
    for (const method of ["sync", "datasync"]) {
      const operation = { does: name === "" ? ("sync-directory" as const) : ("sync" as const), name };
      replace(handle, method, (original) => (...args) => inTurn(operation, () => original(...args)));
    }
    // After it often comes a rename, which must not be taken for the first step.
    replace(handle, "close", (original) => () => counted(original));
    replace(handle, "truncate", (original) => (...args) => inTurn({ does: "cut", name }, () => original(...args)));
    return handle;
  }

  both("rename", (from, to) => {
    const [name, target] = [within(from), within(to)];
    return name === null || target === null ? null : { does: "rename", name, to: target };
  });
  for (const name of ["rm", "unlink"]) both(name, (path) => existing(path, "remove"));
  both("truncate", (path) => existing(path, "cut"));
  for (const name of ["writeFile", "appendFile"]) both(name, (path) => named(path, "write"));
  replace(fs, "openSync", (original) => (...args) => now(opening(args[0], args[1]), () => original(...args)));
  replace(fs.promises, "open", (original) => async (...args) => {
    const name = within(args[0]);
    const handle = (await inTurn(opening(args[0], args[1]), () => original(...args))) as FileHandle;
    return name === null ? handle : watch(handle, name);
  });
  syncBuiltinESMExports();
  setInterval(look, LOOK_MS).unref();
}

/** What the file that arms holds, "" while it is absent. */
function wanted(): string {
  try {
    return readFileSync(armed, "utf8");
  } catch {
    return "";
  }
}

/** Null: opening changes nothing. */
function opening(path: unknown, flags: unknown = "r"): Operation | null {
  const creates = typeof flags === "number" ? (flags & O_CREAT) !== 0 : /^[wa]/.test(String(flags));
  const cuts = typeof flags === "number" ? (flags & O_TRUNC) !== 0 : /^w/.test(String(flags));
  if (!isThere(path)) return creates ? named(path, "create") : null;
  return cuts ? named(path, "cut") : null;
}

function existing(path: unknown, does: Operation["does"]): Operation | null {
  return isThere(path) ? named(path, does) : null;
}

function isThere(path: unknown): boolean {
  return typeof path === "string" && existsSync(path);
}

function named(path: unknown, does: Operation["does"]): Operation | null {
  const name = within(path);
  return name === null ? null : { does, name };
}

/** Null: the path is not a file of the storage directory. The program has no other form of path for it than a text. */
function within(path: unknown): string | null {
  if (typeof path !== "string") return null;
  const name = relative(directory, path);
  // The only folder in it is for people: losing it costs nobody anything.
  return name.startsWith("..") || name.includes("/") || name === "config_history" ? null : name;
}

function noSpace({ does }: Operation): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${does}`), { code: "ENOSPC", errno: -28, syscall: does });
}
