/** Builds the pipelines of a configuration: exporters first, then processors, then receivers, as the real one does. */
import { batchProcessor } from "./batch-processor.js";
import type { Batch, Consume } from "./batch.js";
import { findType, typeOf, type Section, type Signal } from "./catalog.js";
import type { CollectorConfig } from "./decode-config.js";
import { componentLog, type ComponentLog, type Part } from "./extension.js";
import { isSignal } from "./identifier.js";
import type { CollectorLogger } from "./logger.js";
import type { Counters } from "./own-metrics.js";
import { numberAt } from "./settings.js";

export interface Pipelines {
  readonly receivers: readonly Part[];
  /** Hands on what processors hold; called once the receivers have stopped. */
  flush(): void;
}

export async function buildPipelines(config: CollectorConfig, logger: CollectorLogger, counters: Counters): Promise<Pipelines> {
  const flushes: (() => void)[] = [];
  const inputs = new Map<string, Map<Signal, Consume[]>>();
  for (const [name, pipeline] of config.service.pipelines) {
    const signal = name.split("/", 1)[0] ?? "";
    if (!isSignal(signal)) continue;
    const exporters = pipeline.exporters.map((id) => exporter(id, signal, logger));
    let consume: Consume = (batch) => exporters.forEach((one) => one(batch));
    for (const id of [...pipeline.processors].reverse()) {
      const built = processor(id, config, consume, logger);
      consume = built.consume;
      flushes.unshift(built.flush);
    }
    for (const id of pipeline.receivers) {
      warnOfAlias("receivers", id, signal, logger);
      const bySignal = inputs.get(id) ?? new Map<Signal, Consume[]>();
      bySignal.set(signal, [...(bySignal.get(signal) ?? []), consume]);
      inputs.set(id, bySignal);
    }
  }
  const receivers: Part[] = [];
  for (const [id, bySignal] of inputs) receivers.push(...(await buildReceivers(id, config, bySignal, logger, counters)));
  return { receivers, flush: () => flushes.forEach((flush) => flush()) };
}

function exporter(id: string, signal: Signal, logger: CollectorLogger): Consume {
  warnOfAlias("exporters", id, signal, logger);
  const log = componentLog(logger, id, "exporter", signal);
  const type = findType("exporters", id)?.type;
  if (type === "debug") return (batch) => printSummary(batch, log);
  if (type !== "nop") log("warn", "Stand-in exporter sends nothing");
  return () => undefined;
}

function printSummary(batch: Batch, log: ComponentLog): void {
  if (batch.signal === "logs") log("info", "Logs", { "resource logs": batch.resources, "log records": batch.items });
  else if (batch.signal === "traces") log("info", "Traces", { "resource spans": batch.resources, spans: batch.items });
  else log("info", "Metrics", { "resource metrics": batch.resources, metrics: batch.items, "data points": batch.points });
}

function processor(id: string, config: CollectorConfig, next: Consume, logger: CollectorLogger): { readonly consume: Consume; readonly flush: () => void } {
  const settings = config.processors.get(id) ?? new Map<string, never>();
  if (typeOf(id) === "batch") return batchProcessor(settings, next);
  if (typeOf(id) === "memory_limiter") {
    const limit = numberAt(settings, "limit_mib");
    const spike = numberAt(settings, "spike_limit_mib") || Math.floor(limit / 5);
    logger.log("info", "memory_limiter", "Memory limiter configured", { "otelcol.component.kind": "processor", limit_mib: limit, spike_limit_mib: spike });
  } else {
    componentLog(logger, id, "processor")("warn", "Stand-in processor lets everything pass");
  }
  return { consume: next, flush: () => undefined };
}

function warnOfAlias(section: Section, id: string, signal: Signal, logger: CollectorLogger): void {
  const type = findType(section, id);
  if (type?.deprecated !== typeOf(id)) return;
  const kind = section === "receivers" ? "receiver" : "exporter";
  componentLog(logger, id, kind, signal)("warn", `${JSON.stringify(typeOf(id))} alias is deprecated; use ${JSON.stringify(type.type)} instead`);
}

async function buildReceivers(id: string, config: CollectorConfig, bySignal: ReadonlyMap<Signal, readonly Consume[]>, logger: CollectorLogger, counters: Counters): Promise<Part[]> {
  const settings = config.receivers.get(id) ?? new Map<string, never>();
  const type = findType("receivers", id)?.type;
  const consumers = new Map([...bySignal].map(([signal, list]) => [signal, counted(id, list, counters)] as const));
  if (type === "otlp") return [(await import("./otlp-receiver.js")).otlpReceiver(id, settings, consumers, componentLog(logger, id, "receiver"))];
  if (type !== "hostmetrics" && type !== "file_log") return [];
  const { hostmetrics, fileLog } = await import("./scrape.js");
  return [...consumers].flatMap(([signal, consume]) => {
    if (type === "file_log") return [fileLog(id, settings, consume, componentLog(logger, id, "receiver", signal))];
    return signal === "metrics" ? [hostmetrics(id, settings, consume)] : [];
  });
}

const COUNTED: Readonly<Record<Signal, string>> = { logs: "log_records", metrics: "metric_points", traces: "spans" };

function counted(id: string, consumers: readonly Consume[], counters: Counters): Consume {
  return (batch) => {
    const name = `otelcol_receiver_accepted_${COUNTED[batch.signal]}_total{receiver=${JSON.stringify(id)}}`;
    counters.set(name, (counters.get(name) ?? 0) + (batch.signal === "metrics" ? batch.points : batch.items));
    for (const consume of consumers) consume(batch);
  };
}
