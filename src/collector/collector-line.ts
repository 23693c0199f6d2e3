/** One line of the Collector's output as a log line of the supervisor: its level, message and fields where it is JSON. */
import type { Fields, Logger } from "../lib/log.js";
import { cleanText } from "./clean-text.js";

type Level = "debug" | "info" | "warn" | "error";

/** zap's names; what is worse than an error for the Collector is an error of the Collector for us. */
const LEVELS: ReadonlyMap<string, Level> = new Map([
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warn"],
  ["error", "error"],
  ["dpanic", "error"],
  ["panic", "error"],
  ["fatal", "error"],
]);

export function logCollectorLine(log: Logger, line: Uint8Array): void {
  const text = cleanText(line).trimEnd();
  if (text === "") return;
  const entry = text.startsWith("{") ? parse(text) : null;
  if (entry === null) log.info(text);
  else log[entry.level](entry.message, entry.fields);
}

function parse(text: string): { level: Level; message: string; fields: Fields } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { level, msg, ts, ...rest } = value as Record<string, unknown>;
  if (typeof msg !== "string") return null;
  // The line gets a time stamp of its own; the Collector's stays, under another name.
  const fields = ts === undefined ? rest : { collector_ts: ts, ...rest };
  return { level: LEVELS.get(String(level).toLowerCase()) ?? "info", message: msg, fields };
}
