/** Huge and hostile input costs bounded time and memory, and the thread that works on it never outlives the work. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composeConfig, redactConfig } from "../../src/config/compose.js";
import { systemClock, type Clock } from "../../src/lib/clock.js";
import { composeInput, remoteConfig } from "./compose-input.js";

const folder = mkdtempSync(join(tmpdir(), "compose-limits-"));
const workerFile = join(folder, "compose-worker.mjs");
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;

beforeAll(async () => {
  const entry = join(dirname(fileURLToPath(import.meta.url)), "../../src/config/compose-worker.ts");
  const banner = { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' };
  await build({ entryPoints: [entry], outfile: workerFile, bundle: true, platform: "node", format: "esm", banner });
});

function compose(body: string, options: Parameters<typeof composeConfig>[2] = {}, signal = never) {
  return composeConfig(composeInput({ remote: remoteConfig({ main: body }) }), signal, { workerFile, ...options });
}

function pipelines(count: number): string {
  const each = Array.from({ length: count }, (_, i) => i);
  return [
    "receivers:",
    ...each.map((i) => `  otlp/${i}: {protocols: {grpc: {endpoint: "127.0.0.1:${20000 + i}"}}}`),
    "processors:",
    ...each.map((i) => `  filter/${i}:\n    traces:\n      span:\n${`        - 'attributes["http.route"] == "/api/v1/${i}" and resource.attributes["service.name"] == "shop"'\n`.repeat(17)}`),
    "exporters: {nop: }",
    "service:\n  pipelines:",
    ...each.map((i) => `    traces/${i}: {receivers: [otlp/${i}], processors: [filter/${i}], exporters: [nop]}`),
  ].join("\n");
}

test("a megabyte with 560 pipelines is the same from the worker as from here", async () => {
  const body = pipelines(560);
  expect(body.length).toBeGreaterThan(1_000_000);
  const fromWorker = await compose(body);
  const fromHere = await compose(body, { workerFile: null });
  expect(fromWorker).toEqual(fromHere);
  expect(fromWorker.prepared.text).toContain("    traces/559:\n");
});

test("a refusal keeps its code and its text on the way out of the worker", async () => {
  const body = `${"# filler\n".repeat(10_000)}a: 1\na: 2\n`;
  await expect(compose(body)).rejects.toMatchObject({
    name: "SupervisorError",
    code: "config-refused",
    message: 'remote configuration file "main", line 10002, column 1: the key "a" is given twice in one mapping',
  });
});

test("a large report is redacted in the worker", async () => {
  const reported = `exporters: {otlp: {headers: {authorization: hunter22}}}\nx:\n${"  - filler text\n".repeat(10_000)}`;
  const shown = await redactConfig({ reported, composed: "", env: {} }, never, { workerFile });
  expect(shown).toContain('authorization: "[REDACTED]"');
  expect(shown).not.toContain("hunter22");
});

describe("hostile files are refused", () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`).join("\n");
  test.each([
    ["a billion laughs", `a0: &a0 lol\n${laughs}\n`, /aliases multiply the file beyond reason; write the values out$/],
    ["a large text many times", `a: &a ${"x".repeat(40_000)}\nb: [${"*a, ".repeat(2_000)}*a]\n`, /aliases multiply the file beyond reason/],
    ["merge keys of merge keys", `a0: &a0 {k: v}\n${laughs.replace(/\[(.*)\]/g, "{<<: [$1]}").replace(/&(a\d) \{/g, "&$1 {x: 1, ")}\nz: [${"*a9, ".repeat(50)}*a9]`, /aliases multiply the file beyond reason/],
    ["deep flow lists", "a: " + "[".repeat(30_000), /not valid YAML|nested/],
    ["deep block lists", "a:\n  " + "- ".repeat(30_000), /not valid YAML|nested/],
    ["levels beyond the limit", "a: " + "[".repeat(120) + "]".repeat(120), /nested more than 100 levels deep$/],
    ["deep keys by ::", `${"a::".repeat(150)}a: 1`, /nested more than 100 levels deep$/],
    ["a key without end", `${"k".repeat(2_000)}: 1`, /a key is longer than 1000 characters$/],
  ])("%s", async (_what, body, reason) => {
    await expect(compose(body, { workerFile: null })).rejects.toThrow(reason);
  });

  test("60,000 keys in one mapping are no problem", async () => {
    const body = `x:\n${Array.from({ length: 60_000 }, (_, i) => `  k${i}: ${i}\n`).join("")}`;
    const { prepared } = await compose(body);
    expect(prepared.text.split("\n").filter((line) => line.startsWith("  k"))).toHaveLength(60_000);
  });

  test("more bytes than the limit", async () => {
    await expect(compose("#".repeat(16 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: "config-too-large",
      message: 'remote configuration file "main" is larger than 16777216 bytes',
    });
  });
});

describe("a worker that goes wrong", () => {
  const hurried: Clock = { ...systemClock, after: (_ms, run) => (setImmediate(run), () => undefined) };
  const worker = (code: string): string => {
    const file = join(folder, `worker-${code.length}.mjs`);
    writeFileSync(file, code);
    return file;
  };

  test("takes too long", async () => {
    const composing = compose("a: 1", { workerFile: worker("for (;;);"), inProcessCharsMax: 0, clock: hurried });
    await expect(composing).rejects.toMatchObject({ code: "config-too-large", message: "the configuration takes more than 30 s to be composed; make it smaller" });
  });

  test("takes too much memory", async () => {
    const code = "const all = []; for (;;) all.push(new Array(100_000).fill(all.length));";
    const composing = compose("a: 1", { workerFile: worker(code), inProcessCharsMax: 0, memoryMibMax: 32 });
    await expect(composing).rejects.toMatchObject({ code: "config-too-large", message: "the configuration needs more than 32 MiB to be composed; make it smaller" });
  });

  test("crashes", async () => {
    const composing = compose("a: 1", { workerFile: worker('throw new Error("broken");'), inProcessCharsMax: 0 });
    await expect(composing).rejects.toMatchObject({ code: "config-refused", message: "the configuration cannot be composed: broken" });
  });

  test("ends without an answer", async () => {
    const composing = compose("a: 1", { workerFile: worker("process.exit(3);"), inProcessCharsMax: 0 });
    await expect(composing).rejects.toMatchObject({ code: "config-refused", message: "the thread that composes configurations ended with code 3" });
  });

  test("is ended when nobody wants the answer any more", async () => {
    const controller = new AbortController();
    const composing = compose("a: 1", { workerFile: worker("for (;;) ;"), inProcessCharsMax: 0 }, controller.signal);
    controller.abort();
    await expect(composing).rejects.toMatchObject({ code: "aborted" });
  });
});
