/** The faults that come with time: death, failing health, health that flips, hunger for memory. */
import { systemClock } from "../../src/lib/clock.js";
import { die, eatMemory, type Faults } from "./faults.js";

export interface Failing {
  setFailure(error: string | null): void;
}

const FAILURE = "stand-in fault: unhealthy on purpose";

/** Starts them; the returned function stops them. */
export function startFaultTimers(faults: Faults, failing: readonly Failing[]): () => void {
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const tell = (error: string | null): void => failing.forEach((one) => one.setFailure(error));
  const after = (delayMs: number | null, run: () => void): void => {
    if (delayMs === null) return;
    const cancel = systemClock.after(delayMs, run);
    signal.addEventListener("abort", cancel, { once: true });
  };
  after(faults.dieAfterMs, () => die(faults));
  if (faults.eatMemoryAfterMs > 0) after(faults.eatMemoryAfterMs, () => eatMemory(faults));
  after(faults.unhealthyAfterMs, () => tell(FAILURE));
  let healthy = true;
  const flip = (): void => {
    if (signal.aborted) return;
    healthy = !healthy;
    tell(healthy ? null : FAILURE);
    after(faults.flipEveryMs, flip);
  };
  after(faults.flipEveryMs, flip);
  return () => lifetime.abort();
}
