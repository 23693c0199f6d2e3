/** What a binary says of itself, and clear words for one that is no Collector. */
import { copyFileSync, utimesSync, writeFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeExecutable, executableIdentity } from "../../src/collector/describe.js";
import { ManualClock } from "../support/manual-clock.js";
import { environment, failure, fixture, isAlive, temporaryDirectory, textOf, until } from "./support.js";

function ask(executable: string, env: Record<string, string> = {}, rest: { timeoutMs?: number; signal?: AbortSignal; clock?: ManualClock } = {}) {
  return describeExecutable({ executable, env: { ...environment, ...env }, timeoutMs: 10_000, signal: new AbortController().signal, ...rest });
}

describe("a Collector", () => {
  const executable = fixture("collector.sh");

  test("name and version from its build, whatever else is listed", async () => {
    expect(await ask(executable)).toEqual({
      identity: await executableIdentity(executable),
      name: "otelcol-custom",
      version: "1.2.3-rc.1",
      allowsNoPipelines: true,
      resourceForm: "inline",
    });
  });

  test("one that takes the resource as a list", async () => {
    expect((await ask(executable, { TAKES_LIST: "1" })).resourceForm).toBe("list");
  });

  test("one without the gate, even where another gate's text names it", async () => {
    expect((await ask(executable, { NO_GATE: "1" })).allowsNoPipelines).toBe(false);
  });

  test("one without the command components says its version", async () => {
    const { name, version } = await ask(executable, { NO_COMPONENTS: "1" });
    expect([name, version]).toEqual(["otelcol-custom", "1.2.3-rc.1"]);
  });

  test("one without the opamp extension is refused by name", async () => {
    expect(await failure(ask(executable, { NO_EXTENSION: "1" }))).toEqual({
      code: "executable",
      message: `${executable} is built without the opamp extension, which the supervisor needs; use a distribution that has it (otelcol-contrib), or add opampextension to its builder configuration`,
    });
  });
});

describe("what is no Collector", () => {
  test("a missing file", async () => {
    expect(await failure(ask("/nosuch/otelcol"))).toEqual({
      code: "executable",
      message: "cannot run /nosuch/otelcol: there is no such file; correct agent.executable, or install the Collector there",
    });
  });

  test("a directory", async () => {
    expect((await failure(ask("/tmp"))).message).toBe("/tmp is a directory; agent.executable must name the Collector's binary");
  });

  test("a file that is not executable", async () => {
    expect((await failure(ask(fixture("not-executable.txt")))).message).toMatch(/not-executable\.txt: permission denied; make it executable/);
  });

  test("a program that fails, with its words", async () => {
    expect((await failure(ask(fixture("dies-at-once.sh")))).message).toBe(
      `${fixture("dies-at-once.sh")} does not answer its command "components" as a Collector does (exit code 1); agent.executable must name an OpenTelemetry Collector; it said: Error: cannot start pipelines: listen tcp 127.0.0.1:4317: bind: address already in use`,
    );
  });

  test("a program that succeeds without saying anything", async () => {
    const message = (await failure(ask("/bin/true"))).message;
    expect(message).toBe(`/bin/true does not answer its command "components" as a Collector does (exit code 0); agent.executable must name an OpenTelemetry Collector`);
  });

  test("a program that crashes", async () => {
    expect((await failure(ask(fixture("kills-itself.sh")))).message).toContain('was killed by SIGSEGV while it answered its command "components"');
  });

  test("a program that hangs, which is killed", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "hangs");
    writeFileSync(path, `#!/bin/sh\necho $$ >> ${directory}/pids\nexec sleep 1000\n`, { mode: 0o755 });
    const clock = new ManualClock();
    const refused = failure(ask(path, {}, { clock, timeoutMs: 30_000 }));
    const pids = (): number[] => textOf(`${directory}/pids`).split("\n").filter(Boolean).map(Number);
    await until(() => pids().length === 3);
    clock.advance(30_000);
    // It is asked for its version as the last resort.
    await until(() => pids().length === 4);
    clock.advance(30_000);
    const { message } = await refused;
    expect(message).toBe(`${path} did not answer its command "components" within 30 s; agent.executable must name an OpenTelemetry Collector`);
    await until(() => pids().every((pid) => !isAlive(pid)));
  });

  test("a program that floods is not waited for", async () => {
    const { message } = await failure(ask(fixture("floods.sh")));
    expect(message).toContain('answered its command "components" with output without end');
    expect(message.length).toBeLessThan(1_000);
  });
});

test("a question that nobody waits for any more is given up", async () => {
  const lifetime = new AbortController();
  const asked = failure(ask(fixture("runs-forever.sh"), {}, { signal: lifetime.signal }));
  lifetime.abort();
  expect((await asked).code).toBe("aborted");
});

describe("the identity of the file", () => {
  test("changes with content, time and file, not with the way to it", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "otelcol");
    writeFileSync(path, "one");
    utimesSync(path, 1_000, 1_000);
    const first = await executableIdentity(path);
    expect(await executableIdentity(path)).toBe(first);
    utimesSync(path, 1_000, 1_000.001);
    const touched = await executableIdentity(path);
    writeFileSync(path, "three");
    utimesSync(path, 1_000, 1_000.001);
    const longer = await executableIdentity(path);
    copyFileSync(path, join(directory, "copy"));
    symlinkSync(join(directory, "copy"), join(directory, "link"));
    const other = await executableIdentity(join(directory, "link"));
    expect(new Set([first, touched, longer, other]).size).toBe(4);
  });
});
