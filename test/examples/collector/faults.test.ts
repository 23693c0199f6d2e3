/** The stand-in's faults do what their keys say, so that a test that relies on one does not pass for want of it. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../../src/lib/clock.js";
import { bundleStandin } from "./bundle-standin.js";
import { listenForOpamp, type OpampListener } from "./opamp-listener.js";
import { startStandin, type Standin } from "./standin.js";

const standin = { executable: "", directory: "" };
const READY = "Everything is ready";

beforeAll(async () => {
  Object.assign(standin, await bundleStandin());
});

afterAll(() => rmSync(standin.directory, { recursive: true, force: true }));

function configOf(faults: string, endpoint = ""): string {
  const opamp = endpoint === "" ? "" : `  opamp: {server: {ws: {endpoint: '${endpoint}', tls: {insecure: true}}}}\n`;
  return `receivers: {nop: }
exporters: {nop: }
extensions:
  standin_faults: {${faults}}
${opamp}service:
  extensions: [standin_faults${endpoint === "" ? "" : ", opamp"}]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [nop], exporters: [nop]}}
`;
}

function start(config: string, args: readonly string[] = []): Standin {
  return startStandin(standin.executable, config, onTestFinished, args);
}

async function listen(): Promise<OpampListener> {
  const listener = await listenForOpamp();
  onTestFinished(() => listener.stop());
  return listener;
}

/** The verdicts on all links, e.g. `true StatusOK`. */
async function verdicts(listener: OpampListener, count: number): Promise<string[]> {
  const all = (): string[] =>
    listener.links.flatMap((link) => link.messages.flatMap(({ health }) => (health === undefined ? [] : [`${health.healthy} ${health.status}`.trim()])));
  return await new Promise((resolve) => {
    listener.onNews = () => {
      if (all().length >= count) resolve(all().slice(0, count));
    };
    listener.onNews();
  });
}

describe("the stand-in's faults", () => {
  it("dies with the given exit code and says nothing", async () => {
    const run = start(configOf("die_after: 0s, die_code: 7"));
    expect(await run.exit).toBe(7);
    expect(run.stderr()).not.toContain("Shutdown");
  });

  it("dies of the given signal", async () => {
    expect(await start(configOf("die_after: 10ms, die_signal: SIGKILL")).exit).toBe("SIGKILL");
  });

  it("ignores SIGTERM but not SIGKILL", async () => {
    const run = start(configOf("ignore_sigterm: true"));
    await run.output(READY);
    await systemClock.sleep(40);
    run.child.kill("SIGTERM");
    await run.output('"signal": "terminated"');
    run.child.kill("SIGKILL");
    expect(await run.exit).toBe("SIGKILL");
    expect(run.stderr()).not.toContain("Starting shutdown");
  });

  it("stops slowly", async () => {
    const run = start(configOf("slow_stop: 300ms"));
    await run.output(READY);
    await systemClock.sleep(40);
    const before = systemClock.now();
    run.child.kill("SIGTERM");
    expect(await run.exit).toBe(0);
    expect(systemClock.now() - before).toBeGreaterThan(290);
  });

  it("starts late", async () => {
    const run = start(configOf("start_delay: 300ms"));
    await run.output("makes faults on purpose");
    const before = systemClock.now();
    await run.output(READY);
    expect(systemClock.now() - before).toBeGreaterThan(250);
  });

  it("connects but never starts its pipelines", async () => {
    const listener = await listen();
    const run = start(configOf("hang_on_start: true", listener.endpoint));
    expect(await verdicts(listener, 1)).toEqual(["false"]);
    expect(run.stderr()).not.toContain(READY);
    run.child.kill("SIGTERM");
    expect(await run.exit).toBe("SIGTERM");
  });

  it("never connects", async () => {
    const listener = await listen();
    const run = start(configOf("never_connect: true", listener.endpoint));
    await run.output(READY);
    await systemClock.sleep(100);
    expect(listener.links).toHaveLength(0);
  });

  it("hangs in validate", async () => {
    const run = start(configOf("hang_on_validate: true"), ["validate"]);
    await systemClock.sleep(500);
    expect(run.child.exitCode).toBeNull();
  });

  it("turns unhealthy and names the component", async () => {
    const listener = await listen();
    start(configOf("unhealthy_after: 150ms", listener.endpoint));
    const told = await verdicts(listener, 2);
    expect(told.at(-1)).toBe("false StatusRecoverableError");
    const tree = listener.links[0]?.messages.at(-1)?.health;
    expect(tree?.componentHealthMap["extensions"]?.componentHealthMap["extension:standin_faults"]?.lastError).toBe("stand-in fault: unhealthy on purpose");
    expect(tree?.componentHealthMap["pipeline:logs"]?.healthy).toBe(true);
  });

  it("flips its health", async () => {
    const listener = await listen();
    start(configOf("flip_every: 100ms", listener.endpoint));
    const told = (await verdicts(listener, 5)).filter((verdict) => verdict !== "false");
    expect(told.slice(0, 4)).toEqual(["true StatusOK", "false StatusRecoverableError", "true StatusOK", "false StatusRecoverableError"]);
  });

  it("begins with a bare healthy, as the real one sometimes does", async () => {
    const listener = await listen();
    start(configOf("bare_healthy: true, ready_delay: 300ms", listener.endpoint));
    expect(await verdicts(listener, 4)).toEqual(["false", "true", "false StatusStarting", "true StatusOK"]);
  });

  it("prints one long line", async () => {
    const run = start(configOf("print_bytes: 3000000"));
    await run.output(`${"x".repeat(3_000_000)}\n`);
    expect(run.child.exitCode).toBeNull();
  });

  it("eats memory", async () => {
    const run = start(configOf("eat_memory: 200000000"));
    await run.output(READY);
    await vi.waitFor(() => expect(residentBytes(run)).toBeGreaterThan(200_000_000));
  });

  it("eats memory later", async () => {
    const run = start(configOf("eat_memory: 200000000, eat_memory_after: 300ms"));
    await run.output(READY);
    expect(residentBytes(run)).toBeLessThan(200_000_000);
    await vi.waitFor(() => expect(residentBytes(run)).toBeGreaterThan(200_000_000));
  });

  it("dies as a program in Go where memory is limited", async () => {
    const limited = join(standin.directory, "limited");
    writeFileSync(limited, `#!/bin/sh\nulimit -d 500000\nexec '${standin.executable}' "$@"\n`);
    chmodSync(limited, 0o755);
    const run = startStandin(limited, configOf("eat_memory: 1000000000"), onTestFinished);
    expect(await run.exit).toBe(2);
    expect(run.stderr()).toMatch(/\nfatal error: out of memory allocating heap arena metadata\n$/);
  });
});

function residentBytes({ child }: Standin): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}
