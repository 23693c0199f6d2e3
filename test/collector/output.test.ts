/** agent.log: written by the Collector itself, kept within its limit, and read for the last words of an attempt. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, truncateSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openOutput } from "../../src/collector/output.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixture, LinesLogger, stage, textOf, until } from "./support.js";

describe("the last words", () => {
  test("only of this attempt, only whole lines, at most as many as asked for", async () => {
    const { agentLog, output } = stage();
    writeFileSync(agentLog, "an older attempt\n");
    output.mark();
    expect(await output.tail(1_000, 10)).toBe("");
    appendFileSync(agentLog, "one\ntwo\nthree\n");
    expect(await output.tail(1_000, 10)).toBe("one\ntwo\nthree");
    expect(await output.tail(1_000, 2)).toBe("two\nthree");
    expect(await output.tail(12, 10)).toBe("two\nthree");
  });

  test("a line without an end counts: a crash has no time for it", async () => {
    const { agentLog, output } = stage();
    output.mark();
    appendFileSync(agentLog, "one\nfatal error: out of mem");
    expect(await output.tail(1_000, 10)).toBe("one\nfatal error: out of mem");
  });

  test("what is no text is left out", async () => {
    const { agentLog, output } = stage();
    output.mark();
    appendFileSync(agentLog, Buffer.from([...Buffer.from("\u001b[31mred\u001b[0m "), 0xff, 0xfe, 0x00, ...Buffer.from("caf\u00e9\r\n\n\n")]));
    expect(await output.tail(1_000, 10)).toBe("red café");
  });

  test("of one endless line its end is kept", async () => {
    const { agentLog, output } = stage();
    output.mark();
    appendFileSync(agentLog, `${"é".repeat(1_000)}the end`);
    const tail = await output.tail(20, 10);
    expect(tail).toMatch(/^…é+the end$/);
    expect(tail.length).toBeLessThanOrEqual(20);
  });

  test("a whole line at the begin of what is read is kept, and the whole megabyte that may be asked for", async () => {
    const { agentLog, output } = stage();
    output.mark();
    appendFileSync(agentLog, "one\ntwo\nthree\n");
    expect(await output.tail(10, 10)).toBe("two\nthree");
    expect(await output.tail(0, 10)).toBe("");
    appendFileSync(agentLog, "x\n".repeat(1024 * 1024));
    const tail = await output.tail(1024 * 1024, Number.POSITIVE_INFINITY);
    expect(tail.split("\n")).toHaveLength(512 * 1024);
  });

  test.each(["fatal error: out of memory allocating heap arena metadata", "panic: runtime error: index out of range [7] with length 3"])(
    "of a program in Go that crashed, the line that names the cause stands above its stacks: %s",
    async (cause) => {
      const { agentLog, output } = stage();
      output.mark();
      const stacks = Array.from({ length: 60 }, (_, number) => `goroutine ${number} [running]:\nmain.f(...)\n\t/go/main.go:${number} +0x48\n`).join("\n");
      appendFileSync(agentLog, `{"msg":"ready"}\n${cause}\n\n${stacks}`);
      expect((await output.tail(2_048, 5)).split("\n").slice(0, 2)).toEqual([cause, "…"]);
    },
  );

  test("50 MB without a newline cost nothing", async () => {
    const { output, start } = stage();
    output.mark();
    const collector = await start({ executable: fixture("prints-a-huge-line.sh") });
    await collector.exited;
    expect(await output.tail(4_096, 15)).toBe("last words");
  });

  test("a file that somebody emptied is read from its start, a missing one says nothing", async () => {
    const { agentLog, output } = stage();
    writeFileSync(agentLog, "x".repeat(500));
    output.mark();
    truncateSync(agentLog);
    appendFileSync(agentLog, "after the cut\n");
    expect(await output.tail(1_000, 10)).toBe("after the cut");
    renameSync(agentLog, `${agentLog}.moved`);
    expect(await output.tail(1_000, 10)).toBe("");
  });
});

describe("the limit", () => {
  test("a file that is too large is copied and emptied while the Collector writes on", async () => {
    const clock = new ManualClock();
    const { agentLog, start, output, log } = stage({ clock, bytesMax: 10_000 });
    const collector = await start({ executable: fixture("floods.sh") });
    await until(() => statSync(agentLog).size > 1_000_000);
    const sizeBefore = statSync(agentLog).size;
    process.kill(-collector.pid, "SIGSTOP");
    clock.advance(5_000);
    await until(() => existsSync(`${agentLog}.1`) && statSync(agentLog).size === 0);
    process.kill(-collector.pid, "SIGCONT");
    await until(() => statSync(agentLog).size > 0);
    process.kill(-collector.pid, "SIGSTOP");
    // It appends at the new end: no hole as large as what was cut.
    expect(textOf(agentLog).slice(0, 1_000)).not.toContain("\0");
    expect(sizeBefore).toBeGreaterThan(1_000_000);
    const copy = statSync(`${agentLog}.1`);
    expect(copy.size).toBe(10_000);
    expect(copy.mode & 0o777).toBe(0o600);
    expect(await output.tail(200, 1)).toContain("the same line again");
    expect(log.warnings).toEqual([]);
  });

  test("a small file is left alone", async () => {
    const clock = new ManualClock();
    const { agentLog, output } = stage({ clock, bytesMax: 10_000 });
    writeFileSync(agentLog, "x".repeat(9_999));
    clock.advance(60_000);
    await output.close();
    expect(statSync(agentLog).size).toBe(9_999);
    expect(clock.pending).toEqual([]);
  });

  test("where it cannot be copied it is emptied all the same, with a warning", async () => {
    const clock = new ManualClock();
    const { agentLog, log } = stage({ clock, bytesMax: 100 });
    mkdirSync(`${agentLog}.1`);
    writeFileSync(join(`${agentLog}.1`, "occupied"), "");
    writeFileSync(agentLog, "x".repeat(200));
    clock.advance(5_000);
    await until(() => statSync(agentLog).size === 0);
    expect(log.warnings).toEqual(["warn: Output of the Collector is cut without a copy"]);
    expect(existsSync(`${agentLog}.1.tmp`)).toBe(false);
  });
});

describe("a file that cannot be had", () => {
  test.each([
    ["its directory is gone", (path: string) => join(path, "nosuch", "agent.log")],
    ["it is a directory", (path: string) => path],
    ["it is a terminal", (path: string) => (symlinkSync("/dev/tty0", join(path, "agent.log")), join(path, "agent.log"))],
    ["it is a device that is always full", (path: string) => (symlinkSync("/dev/full", join(path, "agent.log")), join(path, "agent.log"))],
  ])("the Collector runs without: %s", async (_name, path) => {
    const { directory, start } = stage();
    const log = new LinesLogger();
    const output = openOutput({ path: path(directory), passthrough: false, clock: new ManualClock(), log });
    output.mark();
    const collector = await start({ executable: fixture("dies-at-once.sh"), output });
    expect(await collector.exited).toEqual({ code: 1, signal: null });
    expect(await output.tail(1_000, 10)).toBe("");
    expect(log.warnings).toEqual(["warn: Output of the Collector is dropped"]);
  });
});

test("a stopped supervisor reads nothing, and the Collector writes on", async () => {
  // The clock stands still, as a stopped process would.
  const { agentLog, start } = stage({ clock: new ManualClock() });
  await start({ executable: fixture("floods.sh") });
  await until(() => statSync(agentLog).size > 2_000_000);
  expect(readFileSync(agentLog).subarray(0, 14).toString()).toBe("the same line ");
});
