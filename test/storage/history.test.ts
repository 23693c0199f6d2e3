/** The decisions of the supervisor as lines on disk. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../src/lib/log.js";
import { History } from "../../src/storage/history.js";
import { ManualClock } from "../support/manual-clock.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "history-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test("each decision is one line with its time, private to the owner", () => {
  const history = new History({ directory, clock: new ManualClock(), log: silentLogger });
  history.add("Collector starts", { attempt: 1, because: "it was wanted" });
  history.add("Remote configuration failed", { hash: "ab", reason: "line one\nline two" });
  const path = join(directory, "history.jsonl");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string, what: "Collector starts", attempt: 1, because: "it was wanted" },
    { time: expect.any(String) as string, what: "Remote configuration failed", hash: "ab", reason: "line one\nline two" },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("it is bounded, across lives of the supervisor", () => {
  for (let life = 0; life < 3; life++) {
    const history = new History({ directory, clock: new ManualClock(), log: silentLogger, bytesMax: 1_000 });
    for (let i = 0; i < 50; i++) history.add("Collector starts", { attempt: i });
  }
  const sizes = ["history.jsonl", "history.jsonl.1"].map((name) => statSync(join(directory, name)).size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
  expect(readFileSync(join(directory, "history.jsonl"), "utf8")).toContain('"attempt":49');
});

test("a disk that cannot take it is one warning and nothing more", () => {
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  mkdirSync(join(directory, "history.jsonl"));
  const history = new History({ directory, clock: new ManualClock(), log });
  for (let i = 0; i < 5; i++) history.add("Collector starts", {});
  expect(warnings).toEqual(["History cannot be written"]);
});
