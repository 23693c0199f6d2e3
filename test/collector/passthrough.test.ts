/** `agent.passthrough_logs`: the Collector's lines become log lines of the supervisor, and there is no agent.log. */
import { appendFileSync, existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openOutput } from "../../src/collector/output.js";
import { ManualClock } from "../support/manual-clock.js";
import { environment, fixture, LinesLogger, stage, temporaryDirectory, until } from "./support.js";
import { startCollector } from "../../src/collector/commander.js";

function passthrough(bytesMax = 1_000_000) {
  const directory = temporaryDirectory();
  const hidden = join(directory, "agent-passthrough.log");
  const log = new LinesLogger();
  const clock = new ManualClock();
  const output = openOutput({ path: join(directory, "agent.log"), passthrough: true, clock, log, bytesMax });
  onTestFinished(() => output.close());
  const said = (): string[] => log.lines.filter(({ logger }) => logger === "collector").map(({ level, message }) => `${level}: ${message}`);
  return { directory, hidden, log, clock, output, said };
}

test("a line of JSON keeps its level, its message and its fields", async () => {
  const { hidden, log, output } = passthrough();
  const line = { level: "warn", ts: "2026-01-01T00:00:00Z", caller: "x.go:1", msg: "Dropping data", resource: { "service.name": "otelcol" }, dropped: 3 };
  await until(() => existsSync(hidden));
  appendFileSync(hidden, `${JSON.stringify(line)}\n`);
  await output.close();
  expect(log.lines).toEqual([
    {
      level: "warn",
      logger: "collector",
      message: "Dropping data",
      fields: { collector_ts: "2026-01-01T00:00:00Z", caller: "x.go:1", resource: { "service.name": "otelcol" }, dropped: 3 },
    },
  ]);
});

test("whatever else a line holds, it arrives", async () => {
  const { hidden, output, said } = passthrough();
  await until(() => existsSync(hidden));
  appendFileSync(hidden, 'plain words\n\n{"level":"fatal","msg":"the end"}\n{"level":"odd","msg":"m"}\n{"level":7,"msg":"n"}\n{"no":"message"}\n{broken\n[1]\n\u001b[1mbold\u001b[0m\r\nno newline');
  await output.close();
  expect(said()).toEqual([
    "info: plain words",
    "error: the end",
    "info: m",
    "info: n",
    'info: {"no":"message"}',
    "info: {broken",
    "info: [1]",
    "info: bold",
    "info: no newline",
  ]);
});

test("lines arrive while the Collector runs, in time", async () => {
  const { hidden, clock, said } = passthrough();
  await until(() => existsSync(hidden));
  appendFileSync(hidden, "one\ntw");
  clock.advance(50);
  await until(() => said().length === 1);
  appendFileSync(hidden, "o\n");
  await until(() => {
    clock.advance(500);
    return said().length === 2;
  });
  expect(said()).toEqual(["info: one", "info: two"]);
});

test("a line that is too long is cut and marked, once", async () => {
  const { hidden, output, said } = passthrough(100_000_000);
  await until(() => existsSync(hidden));
  appendFileSync(hidden, `before\n${"x".repeat(3_000_000)}\nafter\n`);
  await output.tail(10, 1);
  expect(said().map((line) => line.length)).toEqual(["info: before".length, "info: ".length + 64 * 1024 + " … (line cut)".length, "info: after".length]);
  await output.close();
});

test("the Collector's own output goes by descriptor; its last words are there and nothing is in agent.log", async () => {
  const { directory, hidden, log, output, said } = passthrough();
  output.mark();
  const collector = await startCollector({
    attempt: 1,
    executable: fixture("dies-at-once.sh"),
    args: [],
    env: environment,
    output,
    clock: new ManualClock(),
    log,
    pdeathsig: null,
  });
  await collector.exited;
  const words = "Error: cannot start pipelines: listen tcp 127.0.0.1:4317: bind: address already in use";
  expect(await output.tail(4_096, 15)).toBe(words);
  expect(said()).toEqual([`info: ${words}`]);
  expect(existsSync(join(directory, "agent.log"))).toBe(false);
  expect(statSync(hidden).mode & 0o777).toBe(0o600);
  await output.close();
});

test("the file does not grow for ever, and nothing is lost when it is emptied after reading", async () => {
  const { hidden, clock, said } = passthrough(1_000);
  await until(() => existsSync(hidden));
  for (let round = 1; round <= 3; round++) {
    appendFileSync(hidden, `round ${round} ${"x".repeat(1_000)}\n`);
    await until(() => {
      clock.advance(500);
      return statSync(hidden).size === 0;
    });
  }
  expect(said().map((line) => line.slice(0, 13))).toEqual(["info: round 1", "info: round 2", "info: round 3"]);
});

test("a file that somebody else emptied is read from its start", async () => {
  const { hidden, clock, said } = passthrough();
  await until(() => existsSync(hidden));
  appendFileSync(hidden, "a long line before\n");
  await until(() => (clock.advance(500), said().length === 1));
  truncateSync(hidden);
  appendFileSync(hidden, "after\n");
  await until(() => (clock.advance(500), said().length === 2));
  expect(said()).toEqual(["info: a long line before", "info: after"]);
});

test("what an earlier life left is not told again", async () => {
  const directory = temporaryDirectory();
  const hidden = join(directory, "agent-passthrough.log");
  writeFileSync(hidden, "old news\n");
  const log = new LinesLogger();
  const output = openOutput({ path: join(directory, "agent.log"), passthrough: true, clock: new ManualClock(), log });
  await output.close();
  expect(log.lines).toEqual([]);
});

test("a storage directory that cannot be written is one warning", async () => {
  const log = new LinesLogger();
  const { directory } = stage();
  const output = openOutput({ path: join(directory, "nosuch", "agent.log"), passthrough: true, clock: new ManualClock(), log });
  await output.tail(100, 1);
  await output.close();
  expect(log.warnings).toEqual(["warn: Output of the Collector cannot be passed on"]);
});
