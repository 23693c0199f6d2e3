/** A next supervisor ends the Collector that an earlier one left behind, and never anybody else's process. */
import { existsSync, readFileSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { announceCollector, endLeftover, forgetCollector, recordCollector } from "../../src/collector/leftover.js";
import { systemClock } from "../../src/lib/clock.js";
import { fixture, isAlive, LinesLogger, stage, until } from "./support.js";

async function leftover(name: string, configPath?: string) {
  const scene = stage();
  const { directory, log, printed, start } = scene;
  const collector = await start({ executable: fixture(name), args: ["--config", configPath ?? join(directory, "effective.yaml")] });
  await until(() => printed().includes("ready"));
  recordCollector(directory, collector.pid, log);
  const record = join(directory, "collector.pid.json");
  const end = (graceMs = 5_000): Promise<void> => endLeftover(directory, { graceMs, clock: systemClock, log });
  return { ...scene, collector, record, end };
}

function change(path: string, changes: Record<string, unknown>): void {
  const record = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...record, ...changes }));
}

describe("our own leftover", () => {
  test("is asked to stop, and is gone afterwards with its record", async () => {
    const { collector, end, log, record } = await leftover("runs-forever.sh");
    expect(statSync(record).mode & 0o777).toBe(0o600);
    await end();
    expect(await collector.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(record)).toBe(false);
    expect(log.warnings).toEqual(["warn: Ending a Collector that an earlier supervisor left behind"]);
  });

  test("is killed when it ignores that", async () => {
    const { collector, end, log } = await leftover("ignores-sigterm.sh");
    await end(50);
    expect(await collector.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(log.warnings).toContain("warn: Collector left behind ignores the stop signal and is killed");
  });

  test("is ended with what it started", async () => {
    const { end, printed } = await leftover("wraps-a-stubborn-one.sh");
    const child = Number(/child (\d+)/.exec(printed())?.[1]);
    expect(isAlive(child)).toBe(true);
    await end(50);
    await until(() => !isAlive(child));
  });
});

describe("one that was only announced, since its supervisor died before it knew the number", () => {
  async function announced(configPath?: string) {
    const scene = await leftover("runs-forever.sh", configPath);
    announceCollector(scene.directory, scene.log);
    return scene;
  }

  test("is found by the configuration that it runs", async () => {
    const { collector, end, log, record } = await announced();
    await end();
    expect(await collector.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(record)).toBe(false);
    expect(log.warnings).toEqual(["warn: Ending a Collector that an earlier supervisor left behind"]);
  });

  test("is not mistaken for the one of another directory", async () => {
    const { collector, end, record } = await announced("/elsewhere/effective.yaml");
    await end();
    expect(isAlive(collector.pid)).toBe(true);
    expect(existsSync(record)).toBe(false);
    await collector.stop(5_000);
  });

  test("is not looked for after a reboot", async () => {
    const { collector, end, record } = await announced();
    change(record, { bootId: "00000000-0000-0000-0000-000000000000" });
    await end();
    expect(isAlive(collector.pid)).toBe(true);
    await collector.stop(5_000);
  });
});

describe("somebody else's process is left alone", () => {
  test.each([
    ["of another boot", { bootId: "00000000-0000-0000-0000-000000000000" }],
    ["with another start time", { startTicks: "1" }],
    ["with another command line", { configPath: "/elsewhere/effective.yaml" }],
  ])("%s", async (_name, changes) => {
    const { collector, end, log, record } = await leftover("runs-forever.sh");
    change(record, changes);
    await end();
    expect(isAlive(collector.pid)).toBe(true);
    expect(log.warnings).toEqual([]);
    expect(existsSync(record)).toBe(false);
    await collector.stop(5_000);
  });

  test("the same program on another directory", async () => {
    const { collector, end } = await leftover("runs-forever.sh", "/elsewhere/effective.yaml");
    await end();
    expect(isAlive(collector.pid)).toBe(true);
    await collector.stop(5_000);
  });
});

const UNREADABLE = "warn: Record of the last Collector cannot be read, so whatever runs its configuration is looked for";

describe("a record", () => {
  test.each([
    ["empty", ""],
    ["cut", '{"bootId":"x","pi'],
    ["null", "null"],
    ["a list", "[]"],
    ["without a start time", '{"bootId":"x","pid":4242,"configPath":"/x"}'],
    ["that names everybody", '{"bootId":"x","pid":-1,"startTicks":"1","configPath":"/x"}'],
    ["that names init", '{"bootId":"x","pid":1,"startTicks":"1","configPath":"/x"}'],
    ["that names its own group", '{"bootId":"x","pid":0,"startTicks":"1","configPath":"/x"}'],
    ["with half a number", '{"bootId":"x","pid":12.5,"startTicks":"1","configPath":"/x"}'],
    ["that is huge", `{"bootId":"${"x".repeat(100_000)}","pid":4242,"startTicks":"1","configPath":"/x"}`],
  ])("that is damaged says that something ran, and it is looked for: %s", async (_name, text) => {
    const { collector, end, log, record } = await leftover("runs-forever.sh");
    writeFileSync(record, text);
    await end();
    expect(await collector.exited).toEqual({ code: 0, signal: null });
    expect(log.warnings).toEqual([UNREADABLE, "warn: Ending a Collector that an earlier supervisor left behind"]);
    expect(existsSync(record)).toBe(false);
  });

  test("that is damaged leaves those of other directories alone", async () => {
    const { collector, end, log, record } = await leftover("runs-forever.sh", "/elsewhere/effective.yaml");
    writeFileSync(record, "{");
    await end();
    expect(isAlive(collector.pid)).toBe(true);
    expect(log.warnings).toEqual([UNREADABLE]);
    await collector.stop(5_000);
  });

  test("that cannot be read is a warning", async () => {
    const { directory } = stage();
    const log = new LinesLogger();
    mkdirSync(join(directory, "collector.pid.json"));
    await endLeftover(directory, { graceMs: 10, clock: systemClock, log });
    expect(log.warnings).toEqual([UNREADABLE]);
  });

  test("that is missing is the usual case", async () => {
    const { directory } = stage();
    const log = new LinesLogger();
    await endLeftover(directory, { graceMs: 10, clock: systemClock, log });
    expect(log.lines).toEqual([]);
  });

  test("of a process that has ended is forgotten", async () => {
    const { collector, end, log, record } = await leftover("runs-forever.sh");
    await collector.stop(5_000);
    await end();
    expect(existsSync(record)).toBe(false);
    expect(log.warnings).toEqual([]);
  });

  test("is removed, also twice", async () => {
    const { collector, directory, record } = await leftover("runs-forever.sh");
    forgetCollector(directory);
    expect(existsSync(record)).toBe(false);
    forgetCollector(directory);
    await collector.stop(5_000);
  });

  test("that cannot be written is a warning, and the Collector runs", async () => {
    const { collector, directory } = await leftover("runs-forever.sh");
    const log = new LinesLogger();
    recordCollector(join(directory, "nosuch"), collector.pid, log);
    expect(log.warnings).toEqual(["warn: Collector process cannot be recorded, a next supervisor would not find it"]);
    await collector.stop(5_000);
  });
});
