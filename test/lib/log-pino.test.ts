/** Log lines as users parse them, and a logger that nothing can bring down. */
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogSettings } from "../../src/config/settings.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Clock } from "../../src/lib/clock.js";
import { SupervisorError } from "../../src/lib/error.js";
import { createLogger } from "../../src/lib/log-pino.js";
import type { Fields } from "../../src/lib/log.js";

const clock: Clock = { ...systemClock, unixNano: () => 1_745_154_644_746_028_000n };
let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-"));
  file = join(folder, "supervisor.log");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function settings(changes: Partial<LogSettings> = {}): LogSettings {
  return { level: "debug", outputPaths: [file], errorOutputPaths: [join(folder, "errors.log")], encoding: "json", ...changes };
}

function written(): string {
  return readFileSync(file, "utf8");
}

/** The fields of one line that was logged with `fields`. */
function logged(fields: Fields): unknown {
  createLogger(settings(), clock).info("Happened", fields);
  const { level, ts, logger, msg, ...rest } = JSON.parse(written()) as Record<string, unknown>;
  expect([level, ts, logger, msg]).toEqual(["info", 1_745_154_644.746028, "supervisor", "Happened"]);
  return rest;
}

describe("a line", () => {
  test("json: level, ts, logger, msg, then the fields", () => {
    const log = createLogger(settings(), clock);
    log.info("Supervisor starting", { id: "x", count: 3 });
    log.named("collector").warn("Odd");
    log.named("a").named("b").error("Bad");
    log.debug("Detail");
    expect(written()).toBe(
      [
        '{"level":"info","ts":1745154644.746028,"logger":"supervisor","msg":"Supervisor starting","id":"x","count":3}',
        '{"level":"warn","ts":1745154644.746028,"logger":"collector","msg":"Odd"}',
        '{"level":"error","ts":1745154644.746028,"logger":"b","msg":"Bad"}',
        '{"level":"debug","ts":1745154644.746028,"logger":"supervisor","msg":"Detail"}',
        "",
      ].join("\n"),
    );
  });

  test("console: for the eye, and still one line", () => {
    const log = createLogger(settings({ encoding: "console" }), clock);
    log.info("Supervisor starting", { id: "x\ny" });
    log.warn("\u001b[31mred\nfake line");
    expect(written()).toBe(
      '2025-04-20T13:10:44.746Z\tinfo\tsupervisor\tSupervisor starting\t{"id":"x\\ny"}\n' +
        "2025-04-20T13:10:44.746Z\twarn\tsupervisor\t\\x1b[31mred\\x0afake line\n",
    );
  });

  test.each([
    ["debug", ["d", "i", "w", "e"]],
    ["info", ["i", "w", "e"]],
    ["warn", ["w", "e"]],
    ["error", ["e"]],
  ] as const)("level %s", (level, expected) => {
    const log = createLogger(settings({ level }), clock);
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    const messages = written().trim().split("\n").map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(expected);
  });
});

describe("fields", () => {
  test("an error is its message, at any depth", () => {
    expect(logged({ error: new Error("boom"), inner: { cause: new TypeError("deep") } })).toEqual({ error: "boom", inner: { cause: "deep" } });
  });

  test("secrets are taken out by name, at any depth; names of headers stay", () => {
    const fields = {
      headers: { Authorization: "Bearer x", "X-Id": ["a"] },
      requestHeaders: "Authorization: x",
      token: "x",
      client_secret: "x",
      "Proxy-Authorization": "x",
      keyPem: "x",
      api_key: "x",
      settings: { password: "x", list: [{ token: "x", keep: 1 }] },
      body: "x",
      tokenizer: "kept",
    };
    expect(logged(fields)).toEqual({
      headers: { Authorization: "[REDACTED]", "X-Id": "[REDACTED]" },
      requestHeaders: "[REDACTED]",
      token: "[REDACTED]",
      client_secret: "[REDACTED]",
      "Proxy-Authorization": "[REDACTED]",
      keyPem: "[REDACTED]",
      api_key: "[REDACTED]",
      settings: { password: "[REDACTED]", list: [{ token: "[REDACTED]", keep: 1 }] },
      body: "[REDACTED]",
      tokenizer: "kept",
    });
  });

  test("what JSON cannot say is said in some way", () => {
    const loop: Record<string, unknown> = { a: 1 };
    loop["self"] = loop;
    const result = logged({ big: 2n ** 60n, bytes: new Uint8Array(5), nothing: undefined, none: null, run: () => 1, loop }) as Record<string, unknown>;
    expect(result).toMatchObject({ big: "1152921504606846976", bytes: "5 bytes", none: null });
    expect(Object.keys(result)).toEqual(["big", "bytes", "none", "loop"]);
    expect(JSON.stringify(result["loop"])).toContain('"…"');
  });

  test("the line's own keys cannot be taken", () => {
    expect(logged({ level: "fatal", ts: 1, logger: "x", msg: "y" })).toEqual({ level_: "fatal", ts_: 1, logger_: "x", msg_: "y" });
  });

  test("a huge text is cut and counted", () => {
    const { text } = logged({ text: "x".repeat(50_000_000) }) as { text: string };
    expect(text).toBe(`${"x".repeat(16_384)}… (49983616 more)`);
  });
});

describe("outputs", () => {
  test("a new file is for its owner only, an old one is continued", () => {
    createLogger(settings(), clock).info("One");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    createLogger(settings(), clock).info("Two");
    expect(written().split("\n")).toHaveLength(3);
  });

  test("a file that was truncated from outside is continued at its new end", () => {
    const log = createLogger(settings(), clock);
    log.info("One");
    writeFileSync(file, "");
    log.info("Two");
    expect(written()).toMatch(/^\{"level":"info".*"msg":"Two"\}\n$/);
  });

  test("several outputs get each line, the same one named twice gets it once", () => {
    const second = join(folder, "second.log");
    createLogger(settings({ outputPaths: [file, second, file] }), clock).info("One");
    expect(written().split("\n")).toHaveLength(2);
    expect(readFileSync(second, "utf8")).toBe(written());
  });

  test("no output at all is allowed", () => {
    expect(() => createLogger(settings({ outputPaths: [] }), clock).info("One")).not.toThrow();
  });

  test("a missing directory is a clear start error", () => {
    const path = join(folder, "none", "x.log");
    const create = (): unknown => createLogger(settings({ outputPaths: [file, path] }), clock);
    expect(create).toThrow(SupervisorError);
    expect(create).toThrow(
      `cannot open the log file ${path}: its directory does not exist; create it or choose another path (telemetry.logs.output_paths)`,
    );
  });

  test("a directory, and a pipe that nobody reads, are start errors instead of a hang", () => {
    const directory = join(folder, "directory");
    const pipe = join(folder, "pipe");
    mkdirSync(directory);
    execFileSync("mkfifo", [pipe]);
    expect(() => createLogger(settings({ outputPaths: [directory] }), clock)).toThrow("it is a directory; name a file in it");
    expect(() => createLogger(settings({ outputPaths: [pipe] }), clock)).toThrow("it is a pipe that nobody reads");
  });

  test("a full disk loses lines, says so once, and stops nothing", () => {
    const log = createLogger(settings({ outputPaths: ["/dev/full", file] }), clock);
    for (let count = 0; count < 3; count++) log.info("Kept elsewhere");
    expect(written().split("\n")).toHaveLength(4);
    expect(readFileSync(join(folder, "errors.log"), "utf8")).toBe(
      "opampsupervisor: log output /dev/full: cannot write to it (ENOSPC), log lines are lost\n",
    );
  });

  test("a reader that went away and came back is told how much was missed", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // Opened for reading and writing, a pipe has a reader at once, and no reader again when it is closed.
    const first = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const log = createLogger(settings({ outputPaths: [pipe] }), clock);
    log.info("One");
    closeSync(first);
    log.info("Lost");
    log.info("Lost");
    const second = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    log.info("Two");
    expect(readFileSync(join(folder, "errors.log"), "utf8")).toBe(
      `opampsupervisor: log output ${pipe}: cannot write to it (EPIPE), log lines are lost\n` +
        `opampsupervisor: log output ${pipe}: works again, 2 lines were lost\n`,
    );
    closeSync(second);
  });

  test.runIf(process.platform === "linux")("a standard output that nobody reads does not stop the supervisor", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = openSync(pipe, constants.O_WRONLY);
    const bundle = join(folder, "logger.mjs");
    const source = fileURLToPath(new URL("../../src/lib/log-pino.ts", import.meta.url));
    buildSync({ entryPoints: [source], bundle: true, platform: "node", format: "esm", outfile: bundle, logLevel: "silent", banner: { js: REQUIRE } });
    const program = `
      const { createLogger } = await import(${JSON.stringify(bundle)});
      const log = createLogger(${JSON.stringify(settings({ outputPaths: ["stdout"], errorOutputPaths: ["stderr"] }))});
      for (let count = 0; count < 50; count++) log.info("Filling", { text: "x".repeat(10_000) });`;
    const ended = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", writer, "pipe"], timeout: 10_000 });
    closeSync(writer);
    closeSync(reader);
    expect([ended.status, ended.signal]).toEqual([0, null]);
    expect(ended.stderr.toString()).toBe("opampsupervisor: log output stdout: cannot write to it (EAGAIN), log lines are lost\n");
  });

  test("a reader that is too slow loses lines instead of stopping the supervisor", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const log = createLogger(settings({ outputPaths: [pipe] }), clock);
    for (let count = 0; count < 50; count++) log.info("Filling", { text: "x".repeat(10_000) });
    const drained = drain(reader);
    log.info("Again");
    const lines = (drained + drain(reader)).split("\n");
    closeSync(reader);
    // One line at most is torn, and the next one does not stick to it.
    expect(lines.filter((line) => line.startsWith("{") && line.endsWith("}")).length).toBe(lines.length - 2);
    expect(lines.at(-2)).toContain('"msg":"Again"}');
    expect(readFileSync(join(folder, "errors.log"), "utf8")).toBe(
      `opampsupervisor: log output ${pipe}: cannot write to it (EAGAIN), log lines are lost\n` +
        `opampsupervisor: log output ${pipe}: works again, ${50 - lines.length + 3} lines were lost\n`,
    );
  });
});

/** Packages that are not modules call `require`. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Whatever is in a pipe now. */
function drain(descriptor: number): string {
  const chunk = Buffer.alloc(1_000_000);
  let text = "";
  for (;;) {
    try {
      text += chunk.toString("utf8", 0, readSync(descriptor, chunk));
    } catch {
      return text;
    }
  }
}
