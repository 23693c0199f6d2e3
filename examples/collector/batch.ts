/** What flows through the stand-in's pipelines: counts of telemetry, never the telemetry itself. */
import type { Signal } from "./catalog.js";

export interface Batch {
  readonly signal: Signal;
  /** Resource groups, e.g. `resourceLogs`. */
  readonly resources: number;
  /** Log records, spans, or metrics. */
  readonly items: number;
  /** Data points; only for metrics. */
  readonly points: number;
}

export type Consume = (batch: Batch) => void;

export function joinBatches(batches: readonly Batch[]): Batch | null {
  const [first] = batches;
  if (first === undefined) return null;
  return batches.slice(1).reduce(
    (sum, one) => ({ signal: sum.signal, resources: sum.resources + one.resources, items: sum.items + one.items, points: sum.points + one.points }),
    first,
  );
}
