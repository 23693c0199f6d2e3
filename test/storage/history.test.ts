/** The decisions of the supervisor as lines on disk. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
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

/** The attempts of the records that can be read, whatever stands between them. */
function attemptsIn(name: string): unknown[] {
  return readFileSync(join(directory, name), "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [(JSON.parse(line) as { attempt: unknown }).attempt];
      } catch {
        return [];
      }
    });
}

test("a last line that is torn at any length costs no other record", () => {
  const path = join(directory, "history.jsonl");
  const live = (attempt: number) => new History({ directory, clock: new ManualClock(), log: silentLogger }).add("Collector starts", { attempt });
  live(1);
  const first = statSync(path).size;
  live(2);
  const whole = statSync(path).size;
  for (let length = 0; length <= whole; length++) {
    rmSync(path);
    live(1);
    live(2);
    truncateSync(path, length);
    live(3);
    // Without its newline alone a record is still whole.
    const [isFirst, isSecond] = [length >= first - 1, length >= whole - 1];
    expect(attemptsIn("history.jsonl"), `torn at ${length}`).toEqual([...(isFirst ? [1] : []), ...(isSecond ? [2] : []), 3]);
  }
  expect(whole - first).toBeGreaterThan(50);
});

test("zeros at the end, as some file systems leave them after a power loss, cost no record", () => {
  const path = join(directory, "history.jsonl");
  const live = (attempt: number) => new History({ directory, clock: new ManualClock(), log: silentLogger }).add("Collector starts", { attempt });
  live(1);
  appendFileSync(path, Buffer.alloc(70));
  live(2);
  expect(attemptsIn("history.jsonl")).toEqual([1, 2]);
});

test("what a write that failed half way left costs no other record", () => {
  const path = join(directory, "history.jsonl");
  const history = new History({ directory, clock: new ManualClock(), log: silentLogger });
  history.add("Collector starts", { attempt: 1 });
  // A directory in its place fails the write, as a full disk does.
  rmSync(path);
  mkdirSync(path);
  history.add("Collector starts", { attempt: 2 });
  rmSync(path, { recursive: true });
  appendFileSync(path, '{"attempt":');
  history.add("Collector starts", { attempt: 3 });
  history.add("Collector starts", { attempt: 4 });
  expect(attemptsIn("history.jsonl")).toEqual([3, 4]);
});

test("a torn last line is kept within the bound", () => {
  const path = join(directory, "history.jsonl");
  appendFileSync(path, "x".repeat(999));
  const history = new History({ directory, clock: new ManualClock(), log: silentLogger, bytesMax: 1_000 });
  history.add("Collector starts", { attempt: 1 });
  expect(statSync(`${path}.1`).size).toBe(999);
  expect(readFileSync(path, "utf8").startsWith("{")).toBe(true);
});

test("a pipe in its place does not hold up the supervisor", () => {
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  execFileSync("mkfifo", [join(directory, "history.jsonl")]);
  const history = new History({ directory, clock: new ManualClock(), log });
  for (let i = 0; i < 5; i++) history.add("Collector starts", {});
  expect(warnings).toEqual(["History cannot be written"]);
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

test("a text without end does not push out all other records", () => {
  const history = new History({ directory, clock: new ManualClock(), log: silentLogger });
  history.add("Remote configuration failed", { because: `the cause${'"'.repeat(4 * 1024 * 1024)}` });
  history.add("Collector starts", { attempt: 2 });
  const text = readFileSync(join(directory, "history.jsonl"), "utf8");
  expect(text.length).toBeLessThan(64 * 1024);
  const [first, second] = text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first?.["because"]).toMatch(/^the cause"+ \.\.\.$/);
  expect(second).toMatchObject({ attempt: 2 });
});
