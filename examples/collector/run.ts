/**
 * The main mode: start, obey signals, stop. Signals are listened to only once everything runs, as in the real one: a
 * SIGTERM or SIGHUP that comes before ends the process by itself.
 */
import { systemClock } from "../../src/lib/clock.js";
import { loadConfig, loadErrorText, type ConfigRequest } from "./load-config.js";
import { startService, type Service, type Started } from "./service.js";

const SIGNAL_NAMES = { SIGHUP: "hangup", SIGINT: "interrupt", SIGTERM: "terminated" } as const;
type Signal = keyof typeof SIGNAL_NAMES;

/** Answers with the error text when the process should end with 1, or null. */
export async function run(request: ConfigRequest): Promise<string | null> {
  const first = await start(request);
  if (!first.ok) return first.error;
  let { service } = first;
  const signals = listenToSignals();
  stayAlive();
  for (;;) {
    const signal = await signals.next();
    service.logger.log("info", "run", "Received signal from OS", { signal: SIGNAL_NAMES[signal] });
    if (signal !== "SIGHUP") {
      if (service.faults?.ignoreSigterm === true) continue;
      await service.shutdown();
      return null;
    }
    const reloaded = await reload(service, request);
    if (!reloaded.ok) return `failed to setup configuration components: ${reloaded.error}`;
    service = reloaded.service;
  }
}

async function start(request: ConfigRequest): Promise<Started> {
  const loaded = loadConfig(request);
  if (!loaded.ok) return { ok: false, error: loadErrorText(loaded, "run") };
  return await startService(loaded.config, loaded.unset);
}

async function reload(service: Service, request: ConfigRequest): Promise<Started> {
  service.logger.log("warn", "run", "Config updated, restart service");
  await service.shutdown();
  return await start(request);
}

const TICK_MS = 3_600_000;

/** Waiting for a signal does not keep a process of Node alive, and a pipeline of nops has nothing else that would. */
function stayAlive(): void {
  systemClock.after(TICK_MS, stayAlive);
}

function listenToSignals(): { next(): Promise<Signal> } {
  const waiting: Signal[] = [];
  let wake: (signal: Signal) => void = (signal) => waiting.push(signal);
  for (const name of Object.keys(SIGNAL_NAMES) as Signal[]) process.on(name, () => wake(name));
  return {
    next: () =>
      new Promise((resolve) => {
        const first = waiting.shift();
        if (first !== undefined) return resolve(first);
        wake = (signal) => {
          wake = (later) => waiting.push(later);
          resolve(signal);
        };
      }),
  };
}
