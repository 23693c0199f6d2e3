/**
 * The `standin_faults` extension: misbehaviour on demand, only in the stand-in, for what the real build cannot be made
 * to do. It is an ordinary extension in the configuration, so that a test can send it like any other.
 */
import { systemClock } from "../../src/lib/clock.js";
import type { CollectorConfig } from "./decode-config.js";
import { milliseconds } from "./duration.js";
import { printError } from "./output.js";
import type { ConfigMap } from "./value.js";
import { isOn, numberAt, textAt } from "./settings.js";

export interface Faults {
  readonly dieAfterMs: number | null;
  readonly dieCode: number;
  /** For example SIGKILL; null ends with `dieCode`. */
  readonly dieSignal: NodeJS.Signals | null;
  readonly unhealthyAfterMs: number | null;
  readonly flipEveryMs: number | null;
  /** Sends a bare `healthy`, then `StatusStarting`, then `StatusOK`, as the real one sometimes does. */
  readonly bareHealthy: boolean;
  readonly ignoreSigterm: boolean;
  /** Before any extension starts. */
  readonly startDelayMs: number;
  /** After the extensions have started and before the pipelines are ready. */
  readonly readyDelayMs: number;
  /** Connects the opamp extension but never starts the pipelines. */
  readonly hangOnStart: boolean;
  readonly hangOnValidate: boolean;
  readonly neverConnect: boolean;
  readonly eatMemoryBytes: number;
  readonly eatMemoryAfterMs: number;
  readonly printBytes: number;
  /** A line for stderr, with whatever its references gave. */
  readonly print: string;
  readonly slowStopMs: number;
  /** Never resolves and keeps the process alive. */
  forever(): Promise<never>;
}

/** The faults that the configuration's service uses, or null. */
export function faultsOf(config: CollectorConfig): Faults | null {
  const id = config.service.extensions.find((one) => one.split("/", 1)[0] === "standin_faults");
  const settings = id === undefined ? undefined : config.extensions.get(id);
  return settings === undefined ? null : read(settings);
}

function read(settings: ConfigMap): Faults {
  const optionalMs = (key: string): number | null => (settings.has(key) ? milliseconds(textAt(settings, key)) : null);
  return {
    dieAfterMs: optionalMs("die_after"),
    dieCode: numberAt(settings, "die_code"),
    dieSignal: (textAt(settings, "die_signal") || null) as NodeJS.Signals | null,
    unhealthyAfterMs: optionalMs("unhealthy_after"),
    flipEveryMs: optionalMs("flip_every"),
    bareHealthy: isOn(settings, "bare_healthy"),
    ignoreSigterm: isOn(settings, "ignore_sigterm"),
    startDelayMs: optionalMs("start_delay") ?? 0,
    readyDelayMs: optionalMs("ready_delay") ?? 0,
    hangOnStart: isOn(settings, "hang_on_start"),
    hangOnValidate: isOn(settings, "hang_on_validate"),
    neverConnect: isOn(settings, "never_connect"),
    eatMemoryBytes: numberAt(settings, "eat_memory"),
    eatMemoryAfterMs: optionalMs("eat_memory_after") ?? 0,
    printBytes: numberAt(settings, "print_bytes"),
    print: textAt(settings, "print"),
    slowStopMs: optionalMs("slow_stop") ?? 0,
    forever,
  };
}

const HANG_TICK_MS = 3_600_000;

async function forever(): Promise<never> {
  for (;;) await systemClock.sleep(HANG_TICK_MS);
}

const eaten: Buffer[] = [];
/** With which Go's runtime ends a program after a fatal error. */
const GO_FATAL_CODE = 2;
const PRINT_CHUNK_BYTES = 1024 * 1024;

/** What happens once and at once when a service with faults starts. */
export function strike(faults: Faults): void {
  if (faults.eatMemoryAfterMs === 0) eatMemory(faults);
  if (faults.print !== "") printError(`${faults.print}\n`);
  if (faults.printBytes > 0) {
    for (let left = faults.printBytes; left > 0; left -= PRINT_CHUNK_BYTES) printError("x".repeat(Math.min(left, PRINT_CHUNK_BYTES)));
    printError("\n");
  }
}

/** Asked for in one piece, so that a limit refuses it at once; then the process ends with the words and the code of a program in Go. */
export function eatMemory({ eatMemoryBytes }: Faults): void {
  try {
    eaten.push(Buffer.alloc(eatMemoryBytes, 1));
  } catch {
    printError("fatal error: out of memory allocating heap arena metadata\n");
    process.exit(GO_FATAL_CODE);
  }
}

/** Ends the process without any farewell. */
export function die(faults: Faults): void {
  if (faults.dieSignal !== null) process.kill(process.pid, faults.dieSignal);
  else process.exit(faults.dieCode);
}
