/** The `batch` processor: gathers for its timeout or until it is full, and hands on what it holds when it stops. */
import { systemClock } from "../../src/lib/clock.js";
import { joinBatches, type Batch, type Consume } from "./batch.js";
import { milliseconds } from "./duration.js";
import type { ConfigMap } from "./value.js";
import { numberAt, textAt } from "./settings.js";

export interface BatchProcessor {
  readonly consume: Consume;
  flush(): void;
}

export function batchProcessor(settings: ConfigMap, next: Consume): BatchProcessor {
  const timeoutMs = milliseconds(textAt(settings, "timeout"));
  const size = numberAt(settings, "send_batch_size");
  let held: Batch[] = [];
  let cancel: () => void = () => undefined;
  const flush = (): void => {
    cancel();
    cancel = () => undefined;
    const joined = joinBatches(held);
    held = [];
    if (joined !== null) next(joined);
  };
  return {
    flush,
    consume(batch) {
      if (timeoutMs === 0) {
        next(batch);
        return;
      }
      if (held.length === 0) cancel = systemClock.after(timeoutMs, flush);
      held.push(batch);
      if (held.reduce((sum, one) => sum + (one.points || one.items), 0) >= size) flush();
    },
  };
}
