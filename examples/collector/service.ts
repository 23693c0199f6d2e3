/** One run of a configuration: from its logger to its last word. A reload is a new service in the same process. */
import { randomUUID } from "node:crypto";
import { cpus } from "node:os";
import { systemClock } from "../../src/lib/clock.js";
import { checkBuild, checkExtensions } from "./check-config.js";
import { typeOf } from "./catalog.js";
import type { CollectorConfig } from "./decode-config.js";
import { componentLog, type Part } from "./extension.js";
import { faultsOf, strike, type Faults } from "./faults.js";
import { startFaultTimers } from "./fault-timers.js";
import { IDENTITY } from "./identity.js";
import { openLogger, type CollectorLogger } from "./logger.js";
import type { OpampExtension } from "./opamp.js";
import { openMetrics, type MetricsPage } from "./own-metrics.js";
import { buildPipelines, type Pipelines } from "./pipelines.js";
import { plain } from "./value.js";

export interface Service {
  readonly logger: CollectorLogger;
  readonly faults: Faults | null;
  shutdown(): Promise<void>;
}
export type Started = { readonly ok: true; readonly service: Service } | { readonly ok: false; readonly error: string };

/** @param unset variables that the configuration names and the environment lacks. */
export async function startService(config: CollectorConfig, unset: readonly string[]): Promise<Started> {
  const resource = resourceOf(config);
  const opened = openLogger(config.service.logs, resource);
  if (!opened.ok) return opened;
  const { logger } = opened;
  logger.log("info", "service", "Stand-in Collector, not a real one", { description: IDENTITY.description });
  const counters = new Map<string, number>();
  const failed = (error: string): Started => {
    logger.errorWithStack("service", "error found during service initialization", { error });
    return { ok: false, error };
  };
  if (config.service.metrics.get("level") === "None") logger.log("info", "metrics", "Internal metrics telemetry disabled");
  const metrics = await openMetrics(config.service.metrics, resource, counters);
  if (!metrics.ok) return failed(metrics.error);
  const badBuild = checkBuild(config) ?? checkExtensions(config);
  if (badBuild !== null) {
    await metrics.page.close();
    return failed(badBuild);
  }
  const pipelines = await buildPipelines(config, logger, counters);
  for (const name of unset) logger.log("warn", "env", "Configuration references unset environment variable", { name });
  return await new Running(config, resource, logger, metrics.page, pipelines).start();
}

function resourceOf(config: CollectorConfig): Record<string, string> {
  const own: Record<string, string | null> = {
    "service.instance.id": randomUUID(),
    "service.name": IDENTITY.command,
    "service.version": IDENTITY.version,
  };
  for (const [key, value] of config.service.resource ?? []) {
    const text = plain(value);
    own[key] = typeof text === "string" ? text : null;
  }
  const entries = Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

class Running implements Service {
  readonly logger: CollectorLogger;
  readonly faults: Faults | null;
  readonly #config: CollectorConfig;
  readonly #resource: Readonly<Record<string, string>>;
  readonly #metrics: MetricsPage;
  readonly #pipelines: Pipelines;
  readonly #extensions: Part[] = [];
  readonly #receivers: Part[] = [];
  #stopFaults: () => void = () => undefined;

  constructor(config: CollectorConfig, resource: Readonly<Record<string, string>>, logger: CollectorLogger, metrics: MetricsPage, pipelines: Pipelines) {
    this.#config = config;
    this.#resource = resource;
    this.logger = logger;
    this.faults = faultsOf(config);
    this.#metrics = metrics;
    this.#pipelines = pipelines;
  }

  async start(): Promise<Started> {
    const { logger, faults } = this;
    logger.log("info", "service", `Starting ${IDENTITY.command}...`, { Version: IDENTITY.version, NumCPU: cpus().length });
    if (faults !== null) {
      logger.log("warn", "service", "Stand-in makes faults on purpose");
      await systemClock.sleep(faults.startDelayMs);
    }
    const error = (await this.#startExtensions()) ?? (await this.#startReceivers());
    if (error !== null) {
      await this.shutdown();
      return { ok: false, error };
    }
    if (faults?.hangOnStart === true) await faults.forever();
    if (faults !== null) await systemClock.sleep(faults.readyDelayMs);
    for (const extension of this.#extensions) extension.ready?.();
    logger.log("info", "service", "Everything is ready. Begin running and processing data.");
    if (faults !== null) {
      strike(faults);
      this.#stopFaults = startFaultTimers(faults, this.#extensions.filter(isOpamp));
    }
    return { ok: true, service: this };
  }

  async shutdown(): Promise<void> {
    this.#stopFaults();
    this.logger.log("info", "service", "Starting shutdown...");
    await systemClock.sleep(this.faults?.slowStopMs ?? 0);
    for (const extension of this.#extensions) await extension.notReady?.();
    await Promise.all(this.#receivers.map((receiver) => receiver.stop()));
    this.#pipelines.flush();
    this.logger.log("info", "extensions", "Stopping extensions...");
    for (const extension of [...this.#extensions].reverse()) await extension.stop();
    this.logger.log("info", "service", "Shutdown complete.");
    await this.#metrics.close();
  }

  async #startExtensions(): Promise<string | null> {
    this.logger.log("info", "extensions", "Starting extensions...");
    for (const id of new Set(this.#config.service.extensions)) {
      const extension = await this.#buildExtension(id);
      if (extension === null) continue;
      const log = componentLog(this.logger, id, "extension");
      log("info", "Extension is starting...");
      this.#extensions.push(extension);
      const error = await extension.start();
      if (error !== null) {
        log("error", "Failed to start extension", { error });
        return `failed to start extensions: ${error}`;
      }
      log("info", "Extension started.");
    }
    return null;
  }

  async #buildExtension(id: string): Promise<Part | null> {
    const settings = this.#config.extensions.get(id) ?? new Map<string, never>();
    if (typeOf(id) === "health_check") return (await import("./health-check.js")).healthCheck(id, settings, componentLog(this.logger, id, "extension"));
    if (typeOf(id) !== "opamp") return null;
    const { opampExtension } = await import("./opamp.js");
    return opampExtension({ id, config: this.#config, resource: this.#resource, logger: this.logger, faults: this.faults });
  }

  async #startReceivers(): Promise<string | null> {
    for (const receiver of this.#pipelines.receivers) {
      this.#receivers.push(receiver);
      const error = await receiver.start();
      if (error === null) continue;
      this.logger.log("error", "graph", "Failed to start component", { error, type: "Receiver", id: receiver.id });
      return `cannot start pipelines: failed to start ${JSON.stringify(receiver.id)} receiver: ${error}`;
    }
    return null;
  }
}

function isOpamp(part: Part): part is OpampExtension {
  return "setFailure" in part;
}
