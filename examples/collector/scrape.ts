/** Receivers that work by the clock: `hostmetrics` makes batches of a plausible size, `file_log` counts new lines. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../../src/lib/clock.js";
import type { Consume } from "./batch.js";
import { milliseconds } from "./duration.js";
import type { ComponentLog, Part } from "./extension.js";
import type { ConfigMap } from "./value.js";
import { mapAt, textAt, textsAt } from "./settings.js";

/** Metrics and data points of each scraper, about those of a small host. */
const SCRAPED: Readonly<Record<string, readonly [metrics: number, points: number]>> = { cpu: [1, 16], load: [3, 3], memory: [1, 6] };

export function hostmetrics(id: string, settings: ConfigMap, consume: Consume): Part {
  const names = [...mapAt(settings, "scrapers").keys()];
  const sizes = names.map((name) => SCRAPED[name] ?? ([1, 1] as const));
  const sum = (pick: 0 | 1): number => sizes.reduce((total, size) => total + size[pick], 0);
  const scrape = (): void => consume({ signal: "metrics", resources: names.length, items: sum(0), points: sum(1) });
  return repeating(id, milliseconds(textAt(settings, "initial_delay")), milliseconds(textAt(settings, "collection_interval")), scrape);
}

export function fileLog(id: string, settings: ConfigMap, consume: Consume, log: ComponentLog): Part {
  const patterns = textsAt(settings, "include");
  const offsets = new Map<string, number>();
  const fromStart = textAt(settings, "start_at") === "beginning";
  for (const file of fromStart ? [] : patterns.flatMap(matching)) offsets.set(file, sizeOf(file));
  const poll = (): void => {
    const lines = patterns.flatMap(matching).reduce((total, file) => total + newLines(file, offsets), 0);
    if (lines > 0) consume({ signal: "logs", resources: 1, items: lines, points: 0 });
  };
  const interval = milliseconds(textAt(settings, "poll_interval"));
  const polling = repeating(id, interval, interval, poll);
  return {
    id,
    start() {
      log("info", "Starting stanza receiver");
      return polling.start();
    },
    stop() {
      log("info", "Stopping stanza receiver");
      return polling.stop();
    },
  };
}

function repeating(id: string, firstMs: number, everyMs: number, run: () => void): Part {
  let cancel: () => void = () => undefined;
  const tick = (): void => {
    run();
    cancel = systemClock.after(everyMs, tick);
  };
  return {
    id,
    start() {
      cancel = systemClock.after(firstMs, tick);
      return Promise.resolve(null);
    },
    stop() {
      cancel();
      return Promise.resolve();
    },
  };
}

/** A star matches within the file's name only. */
function matching(pattern: string): string[] {
  const folder = dirname(pattern);
  if (!basename(pattern).includes("*")) return existsSync(pattern) ? [pattern] : [];
  const parts = basename(pattern).split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return existsSync(folder) ? readdirSync(folder).filter((name) => expression.test(name)).map((name) => join(folder, name)) : [];
}

function sizeOf(file: string): number {
  const descriptor = openSync(file, "r");
  try {
    return fstatSync(descriptor).size;
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK_BYTES = 64 * 1024;

function newLines(file: string, offsets: Map<string, number>): number {
  const descriptor = openSync(file, "r");
  try {
    const start = Math.min(offsets.get(file) ?? 0, fstatSync(descriptor).size);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, start);
    const end = chunk.subarray(0, length).lastIndexOf("\n") + 1;
    offsets.set(file, start + end);
    return chunk.subarray(0, end).filter((byte) => byte === 10).length;
  } finally {
    closeSync(descriptor);
  }
}
