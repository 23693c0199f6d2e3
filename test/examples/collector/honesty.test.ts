/** Nobody can take the stand-in for a real Collector: it says what it is wherever a Collector names itself. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundleStandin } from "./bundle-standin.js";
import { startStandin } from "./standin.js";

const standin = { executable: "", directory: "" };

beforeAll(async () => {
  Object.assign(standin, await bundleStandin());
});

afterAll(() => rmSync(standin.directory, { recursive: true, force: true }));

const CONFIG = `receivers: {nop: }
exporters: {nop: }
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [nop], exporters: [nop]}}}
`;

describe("the stand-in says that it is one", () => {
  it("in its version", () => {
    const version = execFileSync(standin.executable, ["--version"], { encoding: "utf8" });
    expect(version).toMatch(/^otelcol-standin version 0\.149\.0 \(stand-in for .*not process telemetry\)\n$/);
  });

  it("in its list of components", () => {
    const components = execFileSync(standin.executable, ["components"], { encoding: "utf8" });
    expect(components).toMatch(/^buildinfo:\n {4}command: otelcol-standin\n {4}description: 'stand-in for .*'\n {4}version: 0\.149\.0\n/);
    const modules = [...components.matchAll(/module: (.*)/g)].map((match) => match[1] ?? "");
    expect(modules.filter((module) => !module.startsWith("stand-in for ") && module !== "no real component v0.149.0")).toEqual([]);
  });

  it("in its first log line", async () => {
    const run = startStandin(standin.executable, CONFIG, onTestFinished);
    await run.output("Everything is ready");
    expect(run.stderr().split("\n")[0]).toMatch(/\tinfo\t\S+\tStand-in Collector, not a real one\t/);
  });

  it("in the README, with what it leaves out", () => {
    const readme = readFileSync(new URL("../../../examples/collector/README.md", import.meta.url), "utf8");
    expect(readme).toContain("standin_faults");
    expect(readme).toContain("## Differences");
  });
});
