/** One attempt is one process: its number, its arguments, its environment, and clear words when it cannot be. */
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findSetpriv } from "../../src/collector/find-setpriv.js";
import { systemClock } from "../../src/lib/clock.js";
import { environment, failure, fixture, isAlive, stage, temporaryDirectory, until } from "./support.js";

const setpriv = await findSetpriv(process.env["PATH"]);

describe("start", () => {
  test("a process of its own group, with the arguments and the environment as given", async () => {
    const { start, printed } = stage();
    const before = systemClock.unixNano();
    const collector = await start({ executable: fixture("shows-its-arguments.sh"), args: ["--config", "a b", "$HOME"], env: { ...environment, SECRET: "s1" } });
    expect(collector.startTimeUnixNano).toBeGreaterThanOrEqual(before);
    expect(await collector.exited).toEqual({ code: 1, signal: null });
    expect(printed()).toBe(`--config\na b\n$HOME\nin ${process.cwd()} with SECRET=s1\n`);
  });

  test("the end is known although a grandchild holds the output open", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("leaves-a-grandchild.sh") });
    const before = systemClock.now();
    expect(await collector.exited).toEqual({ code: 3, signal: null });
    expect(systemClock.now() - before).toBeLessThan(2_000);
    expect(printed()).toBe("Error: gone already\n");
  });

  test("a signal that ends it is named", async () => {
    const { start } = stage();
    const collector = await start({ executable: fixture("kills-itself.sh") });
    expect(await collector.exited).toEqual({ code: null, signal: "SIGSEGV" });
  });

  test("agent.log belongs to its owner alone, even where it was open to all before", async () => {
    const { start, agentLog } = stage();
    writeFileSync(agentLog, "from before\n", { mode: 0o644 });
    const collector = await start({ executable: fixture("dies-at-once.sh") });
    await collector.exited;
    expect(statSync(agentLog).mode & 0o777).toBe(0o600);
    expect(readFileSync(agentLog, "utf8")).toMatch(/^from before\nError: cannot start pipelines/);
  });
});

describe.each([
  ["without setpriv", null],
  ["with setpriv", setpriv],
])("what cannot be started, %s", (_name, pdeathsig) => {
  test.skipIf(_name === "with setpriv" && pdeathsig === null).each([
    ["missing", () => fixture("nosuch"), "there is no such file; correct agent.executable, or install the Collector there"],
    ["below a file", () => fixture("floods.sh/x"), "a part of the path is not a directory; correct agent.executable"],
    [
      "not executable",
      () => fixture("not-executable.txt"),
      "permission denied; make it executable for the supervisor's user (chmod +x), on a file system not mounted noexec",
    ],
  ])("%s", async (_case, path, reason) => {
    const { start } = stage();
    expect(await failure(start({ executable: path(), pdeathsig }))).toEqual({ code: "spawn", message: `cannot run ${path()}: ${reason}` });
  });
});

describe("what cannot be started", () => {
  test("a script whose interpreter is missing", async () => {
    const { directory, start } = stage();
    const path = join(directory, "script");
    writeFileSync(path, "#!/nosuch/interpreter\n", { mode: 0o755 });
    expect((await failure(start({ executable: path }))).message).toBe(
      `cannot run ${path}: the file is there, but the interpreter or dynamic loader that it names is not; is it built for this system and C library?`,
    );
  });

  test("an argument that no program can be given", async () => {
    const { start } = stage();
    const { code, message } = await failure(start({ executable: fixture("floods.sh"), args: ["a\0b"] }));
    expect(code).toBe("spawn");
    expect(message).toContain("without null bytes");
  });

  test("an environment that is too large", async () => {
    const { start } = stage();
    const big = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`BIG${index}`, "x".repeat(100_000)]));
    expect((await failure(start({ executable: fixture("floods.sh"), env: big }))).message).toContain(
      "agent.args and the environment together are larger than the system allows",
    );
  });
});

describe.skipIf(setpriv === null)("setpriv", () => {
  test("keeps the pid and becomes the Collector", async () => {
    const { start, printed } = stage();
    const collector = await start({ executable: fixture("runs-forever.sh"), args: ["--config", "x.yaml"], pdeathsig: setpriv });
    await until(() => printed().includes("ready"));
    const words = readFileSync(`/proc/${collector.pid}/cmdline`, "utf8").split("\0");
    expect(words.slice(-4)).toEqual([fixture("runs-forever.sh"), "--config", "x.yaml", ""]);
    await collector.stop(10_000);
    expect(await collector.exited).toEqual({ code: 0, signal: null });
  });

  test("ends the Collector when the supervisor is killed", async () => {
    const { start, printed } = stage();
    // A shell takes the part of the supervisor.
    const script = `${setpriv ?? ""} --pdeathsig TERM -- ${fixture("runs-forever.sh")} & echo "pid $!"; wait`;
    const supervisor = await start({ executable: "/bin/sh", args: ["-c", script] });
    await until(() => /pid \d+\n/.test(printed()) && printed().includes("ready"));
    const pid = Number(/pid (\d+)/.exec(printed())?.[1]);
    expect(isAlive(pid)).toBe(true);
    process.kill(supervisor.pid, "SIGKILL");
    await until(() => !isAlive(pid));
  });

  test("one that does not know the option is not used", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "bin"));
    copyFileSync("/bin/true", join(directory, "bin", "setpriv"));
    // The standard directories are looked at first, so only the order can be asserted where there is a good one.
    expect(await findSetpriv(join(directory, "bin"))).toBe(setpriv);
    expect(await findSetpriv(undefined)).toBe(setpriv);
  });
});
