/** The wall clock jumps by a day, ahead or back, in the middle of things: what happens, and when, does not change. */
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.js";
import { faulty, nopPipeline } from "./support/configs.js";
import { setStage, type Hooks, type Stage } from "./support/stage.js";
import type { SupervisorProcess } from "./support/supervisor-process.js";

const DAY_MS = 86_400_000;
const PROBATION_MS = 2_500;
const APPLY_TIMEOUT_MS = 2_000;
/** The pause before a second restart is one second, less up to half of it. */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 1_000;
/** Timers fire a little early by another process's clock; a busy machine is late. */
const EARLY_MS_MAX = 100;
const LATE_MS_MAX = 3_000;
const TEST_MS_MAX = 60_000;

/** Loaded into the supervisor and, through its environment, into its Collector: a machine has one wall clock. */
const WALL_CLOCK = `import { readFileSync } from "node:fs";
const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(process.env.WALL_CLOCK_OFFSET_FILE, "utf8"));
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
`;

const JUMPS = [
  ["ahead", DAY_MS],
  ["back", -DAY_MS],
] as const;

test.concurrent.for(JUMPS)("a clock that jumps %s by a day shortens and lengthens nothing", { timeout: TEST_MS_MAX }, async ([, byMs], hooks) => {
  const { jump, stage, supervisor } = await jumpingStage(byMs, hooks);

  // In the middle of a probation.
  await stage.apply(nopPipeline("good"));
  const appliedAt = systemClock.now();
  await jump();
  expect((await stage.outcome(await stage.send("- no mapping\n"))).is).toBe("failed");
  expect(rolloutOf(stage)).toBe("on probation");
  expect(wallClockOf(supervisor)).toBeCloseTo(byMs / DAY_MS, 2);
  await stage.until("the end of its probation", () => rolloutOf(stage) === "idle");
  expectAbout(systemClock.now() - appliedAt, PROBATION_MS, PROBATION_MS);

  // In the middle of a trial.
  const hash = await stage.send(faulty("hang", { hang_on_start: true }));
  await supervisor.logs("Collector starts", 3);
  const startedAt = systemClock.now();
  await jump();
  const { error } = await stage.outcome(hash);
  expect(error).toMatch(/^the Collector did not become healthy within 2 s \(agent\.config_apply_timeout\); configuration [0-9a-f]{12}, which worked before, runs instead$/);
  expectAbout(systemClock.now() - startedAt, APPLY_TIMEOUT_MS, APPLY_TIMEOUT_MS);

  // In the middle of the pause before a second restart.
  await supervisor.logs("Collector is healthy", 3);
  process.kill(await stage.collector(), "SIGKILL");
  await supervisor.logs("Collector is healthy", 4);
  process.kill(await stage.collector(), "SIGKILL");
  await supervisor.logs("Collector ended unasked", 2);
  const endedAt = systemClock.now();
  await jump();
  await supervisor.logs("Collector starts", 6);
  expectAbout(systemClock.now() - endedAt, PAUSE_MS_MIN, PAUSE_MS_MAX);

  await stage.until("health", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  await stage.collector();
  expect(wallClockOf(supervisor)).toBeCloseTo((3 * byMs) / DAY_MS, 2);
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

/** Each jump goes on from where the one before it led. */
async function jumpingStage(byMs: number, hooks: Hooks): Promise<{ stage: Stage; supervisor: SupervisorProcess; jump: () => Promise<void> }> {
  const agent = { config_probation: `${PROBATION_MS}ms`, config_apply_timeout: `${APPLY_TIMEOUT_MS}ms` };
  const stage = await setStage({ sections: { agent } }, hooks);
  let offsetMs = 0;
  await stage.host.write("wall-clock.mjs", WALL_CLOCK);
  await stage.host.write("offset", String(offsetMs));
  const preload = pathToFileURL(stage.host.path("wall-clock.mjs")).href;
  const supervisor = await stage.up({ env: { NODE_OPTIONS: `--import=${preload}`, WALL_CLOCK_OFFSET_FILE: stage.host.path("offset") } });
  const jump = async (): Promise<void> => {
    offsetMs += byMs;
    await stage.host.write("offset", String(offsetMs));
  };
  return { stage, supervisor, jump };
}

function rolloutOf({ agent }: Stage): string {
  return agent.health?.componentHealthMap["supervisor"]?.componentHealthMap["rollout"]?.status ?? "";
}

/** How many days the newest log line of the supervisor is ahead of this machine's clock: that it did jump. */
function wallClockOf({ log }: SupervisorProcess): number {
  const machineMs = Number(systemClock.unixNano() / 1_000_000n);
  return (Number(log.at(-1)?.["ts"]) * 1_000 - machineMs) / DAY_MS;
}

function expectAbout(ms: number, atLeast: number, atMost: number): void {
  expect(ms).toBeGreaterThan(atLeast - EARLY_MS_MAX);
  expect(ms).toBeLessThan(atMost + LATE_MS_MAX);
}
