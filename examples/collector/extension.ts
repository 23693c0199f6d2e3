/** What a running service asks of its parts. */
import type { CollectorLogger, Fields, Level } from "./logger.js";

export interface Part {
  readonly id: string;
  /** Answers with the error text, or null. */
  start(): Promise<string | null>;
  stop(): Promise<void>;
  /** All pipelines run. */
  ready?(): void;
  /** The pipelines are about to stop. */
  notReady?(): Promise<void>;
}

/** Logs with the fields that name a component. */
export interface ComponentLog {
  (level: Level, message: string, fields?: Fields): void;
}

export function componentLog(logger: CollectorLogger, id: string, kind: string, signal?: string): ComponentLog {
  const named = { "otelcol.component.id": id, "otelcol.component.kind": kind, ...(signal === undefined ? {} : { "otelcol.signal": signal }) };
  // The debug exporter writes data, not news: its lines name no place.
  const caller = kind === "exporter" && id.split("/", 1)[0] === "debug" ? null : `${kind}/${id}`;
  return (level, message, fields = {}) => logger.log(level, caller, message, { ...named, ...fields });
}
