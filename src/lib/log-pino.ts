/**
 * The logger. Lines have the shape that users of the Go supervisor parse today: `level` as a word, `ts` in seconds,
 * `logger`, `msg`, then the fields. Everything is written in this thread, at once: pino's transports would start a
 * worker, and lines in its queue would be lost at exit.
 */
import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";
import type { LogSettings } from "../config/settings.js";
import { systemClock } from "./clock.js";
import type { Clock } from "./clock.js";
import { openDestination } from "./log-destination.js";
import { safeFields } from "./log-fields.js";
import type { Fields, Logger } from "./log.js";

const ROOT_NAME = "supervisor";

/** Throws a `SupervisorError` when an output cannot be opened. */
export function createLogger(settings: LogSettings, clock: Clock = systemClock): Logger {
  const destination = openDestination(settings.outputPaths, settings.errorOutputPaths);
  const isConsole = settings.encoding === "console";
  const root = pino(
    {
      level: settings.level,
      base: null,
      timestamp: () => `,"ts":${String(Number(clock.unixNano() / 1_000n) / 1e6)}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => destination.write(isConsole ? consoleLine(line) : line) },
  );
  return loggerOf(root, ROOT_NAME);
}

function loggerOf(root: PinoLogger, name: string): Logger {
  const log = (level: "debug" | "info" | "warn" | "error", message: string, fields: Fields | undefined): void => {
    if (!root.isLevelEnabled(level)) return;
    // The message travels as a field, so that it stands in front of the others.
    root[level]({ logger: name, msg: message, ...(fields === undefined ? {} : safeFields(fields)) });
  };
  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    named: (other) => loggerOf(root, other),
  };
}

/** Time, level, logger and message for the eye; the fields stay JSON, so that a line stays one line. */
function consoleLine(line: string): string {
  const { level, ts, logger, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const time = new Date(Number(ts) * 1_000).toISOString();
  const columns = [time, level, logger, msg].map(String);
  if (Object.keys(fields).length > 0) columns.push(JSON.stringify(fields));
  return `${columns.map(escapeControls).join("\t")}\n`;
}

/** Lines of a Collector pass through here, and a terminal obeys what it is sent. */
function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
