/** 50 MB of output in one line: kept within the limits of the files, cut in the log, and no burden for the supervisor. */
import { stat } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { faulty, nopPipeline } from "./support/configs.js";
import { peakMemoryMib } from "../support/peak-memory.js";
import { setStage, type Hooks, type Stage } from "./support/stage.js";
import type { SupervisorProcess } from "./support/supervisor-process.js";

const MIB = 1024 * 1024;
const LINE_BYTES = 50 * MIB;
/** The limit of `agent.log`, and of what waits to be passed on. */
const FILE_BYTES_MAX = 20 * MIB;
const PASSED_ON_BYTES_MAX = 64 * 1024;
const REASON_CHARS_MAX = 4_000;
/** What the supervisor may take more than before: far less than the line. */
const GROWTH_MIB_MAX = 30;
/** The size of `agent.log` is looked at every 5 s. */
const ROTATED_MS_MAX = 15_000;
const TEST_MS_MAX = 60_000;

test.concurrent("a line of 50 MB in agent.log is cut off with it", { timeout: TEST_MS_MAX }, async (hooks) => {
  const { stage, supervisor } = await runGood(hooks);
  const before = await peakMemoryMib(supervisor.pid);
  await expectBoundedReason(stage);
  await stage.apply(faulty("loud", { print_bytes: LINE_BYTES }));
  const pid = await stage.collector();
  await vi.waitFor(async () => expect(await sizeOf(stage, "agent.log")).toBeLessThan(FILE_BYTES_MAX), ROTATED_MS_MAX);
  // What is printed while it is copied may double it.
  expect(await sizeOf(stage, "agent.log.1")).toBeLessThanOrEqual(2 * FILE_BYTES_MAX);
  expect((await peakMemoryMib(supervisor.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
  expect(await stage.collector()).toBe(pid);
  expect(supervisor.log.filter(({ logger }) => logger === "collector")).toEqual([]);
  await stage.apply(nopPipeline("after"));
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

test.concurrent("a line of 50 MB that is passed through is cut, with a mark", { timeout: TEST_MS_MAX }, async (hooks) => {
  const { stage, supervisor } = await runGood(hooks, { passthrough_logs: true });
  const before = await peakMemoryMib(supervisor.pid);
  await expectBoundedReason(stage);
  await stage.apply(faulty("loud", { print_bytes: LINE_BYTES }));
  const pid = await stage.collector();
  const cut = `${"x".repeat(PASSED_ON_BYTES_MAX)} … (line cut)`;
  const passedOn = (): readonly string[] => supervisor.log.filter(({ logger, msg }) => logger === "collector" && msg.includes("xxx")).map(({ msg }) => msg);
  await vi.waitFor(() => expect(passedOn().map((line) => line === cut)).toEqual([true, true]), ROTATED_MS_MAX);
  // What was read is not kept.
  await vi.waitFor(async () => expect(await sizeOf(stage, "agent-passthrough.log")).toBeLessThan(FILE_BYTES_MAX), ROTATED_MS_MAX);
  expect((await peakMemoryMib(supervisor.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
  expect(await stage.collector()).toBe(pid);
  await stage.apply(nopPipeline("after"));
  expect(passedOn()).toHaveLength(2);
  await expect(sizeOf(stage, "agent.log")).rejects.toThrow("ENOENT");
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

async function runGood(hooks: Hooks, agent: object = {}): Promise<{ stage: Stage; supervisor: SupervisorProcess }> {
  const stage = await setStage({ sections: { agent } }, hooks);
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  return { stage, supervisor };
}

/** As the last words of a Collector that dies. */
async function expectBoundedReason(stage: Stage): Promise<void> {
  const hash = await stage.send(faulty("loud-and-dead", { print_bytes: LINE_BYTES, die_after: "0s" }));
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  expect(error).toMatch(/^the Collector exited with code 1 before it was healthy; configuration [0-9a-f]{12}, which worked before, runs instead\nCollector log tail:\n/);
  expect(error.length).toBeLessThanOrEqual(REASON_CHARS_MAX);
}

async function sizeOf(stage: Stage, name: string): Promise<number> {
  return (await stat(`${stage.host.storage}/${name}`)).size;
}
