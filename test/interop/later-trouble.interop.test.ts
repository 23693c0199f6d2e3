/**
 * Configurations with which the real Collector starts well and gets into trouble later. One that changes its mind about
 * its health is not among them: no component of the real build does that.
 */
import { once } from "node:events";
import { stat, truncate, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.js";
import { peakMemoryMib } from "../support/peak-memory.js";
import { nopPipeline } from "./support/configs.js";
import type { Program } from "./support/host.js";
import { missing, needs } from "./support/needs.js";
import { stages, type Stage, type StageOptions } from "./support/stage.js";

const MIB = 1024 * 1024;
const LINE_BYTES = 50 * MIB;
/** The limit of `agent.log`. */
const FILE_BYTES_MAX = 20 * MIB;
const PASSED_ON_CHARS_MAX = 64 * 1024 + 100;
/** What the supervisor may take more than before: the Collector's troubles are none of its own. */
const GROWTH_MIB_MAX = 30;
const WAIT = { timeout: 20_000 };

describe.skipIf(missing)("a configuration that starts well", () => {
  const setStage = stages();

  /** With `nop/good`, which an earlier life without a probation made good. */
  async function runGood(options: StageOptions = {}): Promise<{ stage: Stage; supervisor: Program }> {
    const stage = await setStage({ ...options, yaml: { agent: ["config_probation: 0s", ...(options.yaml?.agent ?? [])] } });
    const { host, server } = stage;
    const first = host.start();
    await server.offer(nopPipeline("good"));
    await server.until("the good one", ({ healthy, status }) => healthy && status.is === "applied");
    await first.end("SIGTERM");
    await host.write("supervisor.yaml", (await host.read("supervisor.yaml")).replace("config_probation: 0s", "config_probation: 60s"));
    const known = server.agent.messages.length;
    const supervisor = host.start();
    await server.until("the good one again", (agent) => agent.messages.slice(known).some(({ health }) => health?.healthy === true));
    return { stage, supervisor };
  }

  it("and dies of the memory that it eats a second later is taken back after three deaths", async () => {
    const limited = `#!/bin/sh\nulimit -d ${(400 * MIB) / 1024}\nexec '${needs.collector}' "$@"\n`;
    const { stage, supervisor } = await runGood({ executable: { script: limited } });
    const { host, server } = stage;
    const before = await peakMemoryMib(supervisor.pid);
    // A line without an end, of which the receiver wants to hold all in memory.
    await writeFile(host.path("endless.log"), "");
    await truncate(host.path("endless.log"), 4 * 1024 * MIB);
    const hash = await server.offer(endlessLine(host.path("endless.log")));
    await server.until("the failure", ({ status }) => status.is === "failed" && status.hash === hash);
    expect(server.agent.courseOf(hash)).toEqual(["applying", "applied", "failed"]);
    expect(server.agent.status.error).toMatch(/^the Collector exited with code 2, crash number 3 during probation; configuration [0-9a-f]{12}, which worked before, runs instead\nCollector log tail:\n/);
    expect(server.agent.status.error).toMatch(/\n(?:fatal error|runtime): .*out of memory/);
    await expectGoodAgain(stage);
    expect((await peakMemoryMib(supervisor.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
  });

  it("and has a request that never ends, for which the Collector ignores SIGTERM, is killed after its grace for the next one", async () => {
    const { stage } = await runGood();
    const { host, server } = stage;
    const port = await freePort();
    await server.offer(otlpReceiver(port, "nop"));
    await server.until("the receiver", ({ effectiveConfig, healthy, status }) => healthy && status.is === "applied" && effectiveConfig.includes(String(port)));
    const [deaf] = await host.collectors();
    const client = connect(port, "127.0.0.1");
    onTestFinished(() => void client.destroy());
    client.write("POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    await once(client, "connect");

    const sentAt = systemClock.now();
    const hash = await server.offer(nopPipeline("next"));
    await server.until("the next one", ({ healthy, status }) => healthy && status.is === "applied" && status.hash === hash, 30_000);
    expect(systemClock.now() - sentAt).toBeGreaterThan(9_900);
    const after = await host.collectors();
    expect(after).toHaveLength(1);
    expect(after).not.toContain(deaf);
    await server.until("its effective configuration", ({ effectiveConfig }) => effectiveConfig.includes("nop/next"));
  });

  it.each([false, true])("and prints a line of 50 MB harms nobody (passed through: %s)", async (passthrough) => {
    const { stage, supervisor } = await runGood({ yaml: { agent: [`passthrough_logs: ${passthrough}`] } });
    const { host, server } = stage;
    const port = await freePort();
    await server.offer(otlpReceiver(port, "debug"));
    await server.until("the receiver", ({ effectiveConfig, healthy, status }) => healthy && status.is === "applied" && effectiveConfig.includes(String(port)));
    const before = await peakMemoryMib(supervisor.pid);
    const [pid] = await host.collectors();
    await sendLogRecord(port, "x".repeat(LINE_BYTES));
    if (passthrough) {
      await vi.waitFor(() => expect(supervisor.output).toContain(" … (line cut)"), WAIT);
      const [long, ...others] = supervisor.output.split("\n").filter((line) => line.includes("xxx"));
      expect(others).toEqual([]);
      expect(JSON.parse(long ?? "")).toMatchObject({ logger: "collector", msg: expect.stringMatching(/xxx … \(line cut\)$/) as string });
      // The line is JSON cut in the middle, and is quoted for the log as a text.
      expect(long?.length).toBeLessThan(PASSED_ON_CHARS_MAX * 2);
    } else {
      await vi.waitFor(async () => expect((await stat(`${host.storage}/agent.log.1`)).size).toBeLessThanOrEqual(2 * FILE_BYTES_MAX), WAIT);
      await vi.waitFor(async () => expect((await stat(`${host.storage}/agent.log`)).size).toBeLessThan(FILE_BYTES_MAX), WAIT);
    }
    expect(await host.collectors()).toEqual([pid]);
    expect((await peakMemoryMib(supervisor.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
    await server.offer(nopPipeline("after"));
    await server.until("the next one", ({ effectiveConfig, healthy, status }) => healthy && status.is === "applied" && effectiveConfig.includes("nop/after"));
  });
});

async function expectGoodAgain({ host, server }: Stage): Promise<void> {
  await server.until("the good one again", ({ effectiveConfig, healthy }) => healthy && effectiveConfig.includes("nop/good"));
  expect(await host.read("storage/effective.yaml")).toContain("nop/good");
  expect(await host.collectors()).toHaveLength(1);
}

/** Reads the file for the first time one second after the start, when the Collector is healthy. */
function endlessLine(path: string): string {
  return `receivers:
  filelog:
    include: ['${path}']
    start_at: beginning
    poll_interval: 1s
    max_log_size: 4GiB
exporters:
  nop:
service:
  pipelines:
    logs:
      receivers: [filelog]
      exporters: [nop]
`;
}

function otlpReceiver(port: number, exporter: "nop" | "debug"): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
        max_request_body_size: ${2 * LINE_BYTES}
exporters:
  nop:
  debug:
    verbosity: detailed
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [${exporter}]
`;
}

async function sendLogRecord(port: number, text: string): Promise<void> {
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: text } }] }] }] });
  const answer = await fetch(`http://127.0.0.1:${port}/v1/logs`, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(answer.status).toBe(200);
}

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
