/** Where the settings come from, and what is said when there is nothing to be had there. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadSettings } from "../../src/config/settings-load.js";
import { messageOf } from "../../src/lib/error.js";

const YAML = "server: {endpoint: 'ws://h'}\nagent: {executable: ./otelcol}\n";
let cwd = "";

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "source-"));
  writeFileSync(join(cwd, "otelcol"), "#!/bin/sh\n");
  chmodSync(join(cwd, "otelcol"), 0o755);
});

afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

async function endpointFrom(source: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  return (await loadSettings(source, env, cwd)).settings.server.endpoint;
}

async function messageFor(source: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const loaded = await loadSettings(source, env, cwd).catch((error: unknown) => error);
  expect(loaded).toMatchObject({ code: "settings" });
  return messageOf(loaded).replaceAll(cwd, "{cwd}");
}

describe("accepted", () => {
  test("a relative path, an absolute path and file:", async () => {
    const path = join(cwd, "supervisor.yaml");
    writeFileSync(path, YAML);
    for (const source of ["supervisor.yaml", "./supervisor.yaml", path, `file:${path}`, "file:supervisor.yaml", `file://${path}`]) {
      expect(await endpointFrom(source)).toBe("ws://h");
    }
  });

  test("a colon behind a slash belongs to the path", async () => {
    mkdirSync(join(cwd, "a"));
    writeFileSync(join(cwd, "a", "foo:bar.yaml"), YAML);
    expect(await endpointFrom("./a/foo:bar.yaml")).toBe("ws://h");
  });

  test("env:NAME and its default", async () => {
    expect(await endpointFrom("env:SUPERVISOR", { SUPERVISOR: YAML })).toBe("ws://h");
    expect(await endpointFrom(`env:UNSET:-${YAML}`)).toBe("ws://h");
  });

  test("a named pipe, so that the file can be decrypted on the way", async () => {
    const pipe = join(cwd, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", `printf '%s' "$YAML" > ${pipe}`], { env: { ...process.env, YAML } });
    try {
      expect(await endpointFrom(pipe)).toBe("ws://h");
    } finally {
      writer.kill();
    }
  });
});

describe("refused", () => {
  test("nothing given", async () => {
    expect(await messageFor("")).toBe("path to config file cannot be empty; give it with --config=supervisor.yaml");
  });

  test("a missing file", async () => {
    expect(await messageFor("supervisor.yaml")).toBe(
      "unable to read the file supervisor.yaml: it does not exist; check the path (looked for {cwd}/supervisor.yaml)",
    );
  });

  test("a directory", async () => {
    expect(await messageFor(cwd)).toBe("unable to read the file {cwd}: it is a directory; name the file in it");
  });

  test("a path through a file", async () => {
    expect(await messageFor("otelcol/x")).toContain("unable to read the file otelcol/x: a part of the path is not a directory");
  });

  test("a loop of links", async () => {
    symlinkSync("loop", join(cwd, "loop"));
    expect(await messageFor("loop")).toContain("its symbolic links form a loop");
  });

  test("a file that this user cannot read", async () => {
    writeFileSync(join(cwd, "s.yaml"), YAML, { mode: 0o000 });
    const isRoot = process.getuid?.() === 0;
    // Root may read everything, so it steps down for a moment; this process is the test's own.
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(await messageFor("s.yaml")).toContain("permission denied; the user of the supervisor must be able to read it");
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test("a file without end", async () => {
    expect(await messageFor("/dev/zero")).toBe("unable to read the file /dev/zero: it is larger than 1000000 bytes; is it the right file?");
  });

  test("an unknown scheme", async () => {
    expect(await messageFor("https://example.com/x.yaml")).toContain('unsupported scheme on URI "https://example.com/x.yaml"; expected a path, file:PATH or env:NAME');
    expect(await messageFor("foo:bar.yaml")).toContain("(write ./foo:bar.yaml for a file of that name)");
  });

  test("a variable that is not set, or empty", async () => {
    for (const env of [{}, { S: "" }, { S: "# nothing" }]) {
      const message = await messageFor("env:S", env);
      expect(message).toContain("env:S:1:1: the environment variable S is not set or empty; expected the YAML of the settings in it");
      expect(message).toContain("server::endpoint must be specified");
    }
  });

  test("a flat file of 40,000 keys is judged and the message shortened", async () => {
    const keys = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join("\n");
    const message = await messageFor("env:S", { S: keys });
    expect(message.split("\n")).toHaveLength(52);
    expect(message).toContain("env:S has 40002 problems:");
    expect(message).toContain("  and 39952 more");
  });
});
