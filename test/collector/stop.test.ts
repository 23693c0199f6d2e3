/** A Collector is asked to stop, given time, and then killed with all that it started. */
import { describe, expect, test } from "vitest";
import { ManualClock } from "../support/manual-clock.js";
import { fixture, isAlive, stage, until } from "./support.js";

describe("stop", () => {
  test("SIGTERM is enough for one that listens", async () => {
    const { start, printed, log } = stage();
    const collector = await start({ executable: fixture("runs-forever.sh") });
    await until(() => printed().includes("ready"));
    await collector.stop(10_000);
    expect(await collector.exited).toEqual({ code: 0, signal: null });
    expect(printed().split("\n")).toContain("stopped");
    expect(log.warnings).toEqual([]);
  });

  test("one that ignores SIGTERM lives until the grace is over, not longer", async () => {
    const { start, printed, log } = stage();
    const clock = new ManualClock();
    const collector = await start({ executable: fixture("ignores-sigterm.sh"), clock });
    await until(() => printed().includes("ready"));
    const stopped = collector.stop(10_000);
    clock.advance(9_999);
    expect(isAlive(collector.pid)).toBe(true);
    clock.advance(1);
    await stopped;
    expect(await collector.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(log.warnings).toEqual(["warn: Collector ignores the stop signal and is killed"]);
    expect(clock.pending).toEqual([]);
  });

  test("a second caller shortens the grace and cannot lengthen it", async () => {
    const { start, printed } = stage();
    const clock = new ManualClock();
    const collector = await start({ executable: fixture("ignores-sigterm.sh"), clock });
    await until(() => printed().includes("ready"));
    const all = [collector.stop(10_000), collector.stop(60_000), collector.stop(500)];
    expect(clock.pending).toEqual([500]);
    clock.advance(500);
    await Promise.all(all);
    expect(await collector.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("stopping, killing and reloading what has ended does nothing", async () => {
    const { start } = stage();
    const collector = await start({ executable: fixture("dies-at-once.sh") });
    expect(await collector.exited).toEqual({ code: 1, signal: null });
    collector.kill();
    collector.reload();
    await collector.stop(0);
    await collector.stop(10_000);
  });

  test("kill ends it at once, whatever it does", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("ignores-sigterm.sh") });
    await until(() => printed().includes("ready"));
    collector.kill();
    expect(await collector.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("a Collector behind a wrapper script gets the signal too, and the time to drain", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("wraps-a-slow-one.sh") });
    await until(() => printed().includes("ready"));
    await collector.stop(10_000);
    expect(await collector.exited).toEqual({ code: null, signal: "SIGTERM" });
    expect(printed().split("\n")).toContain("drained");
  });

  test("what a wrapper leaves behind is killed when the grace is over", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("wraps-a-stubborn-one.sh") });
    await until(() => /child \d+\n/.test(printed()));
    const child = Number(/child (\d+)/.exec(printed())?.[1]);
    expect(isAlive(child)).toBe(true);
    await collector.stop(100);
    await until(() => !isAlive(child));
    expect(await collector.exited).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("reload is SIGHUP, and the process stays", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("runs-forever.sh") });
    await until(() => printed().includes("ready"));
    collector.reload();
    await until(() => printed().includes("reloaded"));
    expect(isAlive(collector.pid)).toBe(true);
    await collector.stop(10_000);
  });
});
