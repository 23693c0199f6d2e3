/** Log lines in the two shapes of the real one: JSON, or tab-separated columns with the fields as spaced JSON. */
import { openSync } from "node:fs";
import { systemClock } from "../../src/lib/clock.js";
import { milliseconds } from "./duration.js";
import { writeAll } from "./output.js";
import { plain, type ConfigMap, type ConfigValue } from "./value.js";
import { isOn, mapAt, numberAt, textAt, textsAt } from "./settings.js";

export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Readonly<Record<string, unknown>>;
export interface CollectorLogger {
  /** @param caller the place that logs, e.g. "service"; null where the real one leaves it out. */
  log(level: Level, caller: string | null, message: string, fields?: Fields): void;
  /** An error line with a stack, which the real one prints beneath it. */
  errorWithStack(caller: string, message: string, fields?: Fields): void;
}

export type OpenedLogger = { readonly ok: true; readonly logger: CollectorLogger } | { readonly ok: false; readonly error: string };

const RANK: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3, dpanic: 4, panic: 5, fatal: 6 };
const STACK = "standin.(*Collector).Run\n\texamples/collector/run.ts:1\nmain.main\n\texamples/collector/main.ts:1";

export function openLogger(settings: ConfigMap, resource: Readonly<Record<string, string>>): OpenedLogger {
  const encoding = textAt(settings, "encoding");
  if (encoding !== "json" && encoding !== "console") {
    return { ok: false, error: `failed to create logger: no encoder registered for name ${JSON.stringify(encoding)}` };
  }
  const outputs: number[] = [];
  for (const path of textsAt(settings, "output_paths")) {
    const output = openOutput(path);
    if (typeof output === "string") return { ok: false, error: output };
    outputs.push(output);
  }
  const threshold = RANK[textAt(settings, "level")] ?? 1;
  const sampled = sampler(settings);
  const base = { resource, ...jsonObject(settings.get("initial_fields") ?? null) };
  const write = (level: Level, caller: string | null, message: string, fields: Fields, stack: string | null): void => {
    if ((RANK[level] ?? 0) < threshold || !sampled(level, message)) return;
    const line = { level, caller, message, fields: { ...base, ...fields }, stack };
    const encoded = encoding === "json" ? jsonLine(line) : consoleLine(line);
    for (const output of outputs) writeAll(output, encoded);
  };
  return {
    ok: true,
    logger: {
      log: (level, caller, message, fields = {}) => write(level, caller, message, fields, null),
      errorWithStack: (caller, message, fields = {}) => write("error", caller, message, fields, STACK),
    },
  };
}

interface Line {
  readonly level: Level;
  readonly caller: string | null;
  readonly message: string;
  readonly fields: Fields;
  readonly stack: string | null;
}

function jsonLine({ level, caller, message, fields, stack }: Line): string {
  const line = { level, ts: timestamp(), ...(caller === null ? {} : { caller: `standin/${caller}` }), msg: message, ...fields, ...(stack === null ? {} : { stacktrace: stack }) };
  return `${JSON.stringify(line)}\n`;
}

function consoleLine({ level, caller, message, fields, stack }: Line): string {
  const columns = [timestamp(), level, ...(caller === null ? [] : [`standin/${caller}`]), message, spacedJson(fields)].join("\t");
  return `${columns}\n${stack === null ? "" : `${stack}\n`}`;
}

function timestamp(): string {
  return new Date(Number(systemClock.unixNano() / 1_000_000n)).toISOString();
}

function spacedJson(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${spacedJson(item)}`);
  return `{${members.join(", ")}}`;
}

/** The real one drops repeated lines: the first ten of a kind in ten seconds, then every hundredth. */
function sampler(settings: ConfigMap): (level: Level, message: string) => boolean {
  const sampling = mapAt(settings, "sampling");
  if (!isOn(sampling, "enabled")) return () => true;
  const tickMs = milliseconds(textAt(sampling, "tick"));
  const initial = numberAt(sampling, "initial");
  const thereafter = numberAt(sampling, "thereafter");
  const counts = new Map<string, { until: number; count: number }>();
  return (level, message) => {
    const now = systemClock.now();
    const key = `${level} ${message}`;
    let entry = counts.get(key);
    if (entry === undefined || now >= entry.until) {
      entry = { until: now + tickMs, count: 0 };
      counts.set(key, entry);
    }
    entry.count++;
    return entry.count <= initial || (thereafter > 0 && (entry.count - initial) % thereafter === 0);
  };
}

function openOutput(path: string): number | string {
  if (path === "stdout") return 1;
  if (path === "stderr") return 2;
  try {
    return openSync(path, "a", 0o666);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or directory" : "permission denied";
    return `failed to create logger: open sink ${JSON.stringify(path)}: open ${path}: ${reason}`;
  }
}

function jsonObject(value: ConfigValue): Fields {
  const bare = plain(value);
  if (!(bare instanceof Map)) return {};
  return Object.fromEntries([...bare].map(([key, item]) => [key, jsonValue(item)]));
}

function jsonValue(value: ConfigValue): unknown {
  const bare = plain(value);
  if (bare instanceof Map) return jsonObject(bare);
  if (Array.isArray(bare)) return bare.map(jsonValue);
  return typeof bare === "bigint" ? Number(bare) : bare;
}
