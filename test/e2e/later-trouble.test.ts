/**
 * Configurations that look good at first and are not: what they do later is seen, told and undone. These tests wait most
 * of the time, so they wait side by side.
 */
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.js";
import { faulty, nopPipeline } from "./support/configs.js";
import { expectGoodAgain, failureOf, provenStage } from "./support/proven.js";
import type { LogLine, SupervisorProcess } from "./support/supervisor-process.js";

/**
 * Instead of the default of 60 s, of which 5 s and 50 s are early and late. That minute itself is played with a clock
 * driven by hand, in test/scenario/probation.test.ts.
 */
const PROBATION = "4s";
const DEATHS = [
  ["early", "600ms"],
  ["late", "3300ms"],
] as const;
const APPLIED_MS_MAX = 30_000;
/** From the end of one Collector to the health of the next, the pause before a second restart included. */
const OUTAGE_S_MAX = 5;
const TEST_MS_MAX = 60_000;

test.concurrent.for(DEATHS)("one that is healthy and dies %s in its probation is restarted twice, then taken back", { timeout: TEST_MS_MAX }, async ([, after], hooks) => {
  const { good, stage, supervisor } = await provenStage({ agent: { config_probation: PROBATION }, hooks });
  const hash = await stage.send(faulty("mortal", { die_after: after, die_code: 3 }));
  const { error } = await failureOf(stage, hash);
  expect(cause(error)).toBe(`the Collector exited with code 3, crash number 3 during probation; configuration ${good}, which worked before, runs instead`);
  expect(error.length).toBeLessThanOrEqual(4_000);
  await expectGoodAgain(stage, hash);

  const log = since(supervisor, "Remote configuration received", 1);
  // Three lives of the bad one, and the good one again.
  expect(log.filter(({ msg }) => msg === "Collector starts")).toHaveLength(4);
  const deaths = log.filter(({ msg }) => msg === "Collector ended unasked").map((line) => ({ died: ts(line), next: ts(next(log, line, "Collector starts")) }));
  expect(deaths).toHaveLength(3);
  const [first, second, third] = deaths.map(({ died, next }) => next - died);
  expect(first, "at once").toBeLessThan(0.4);
  expect(second, "after a pause").toBeGreaterThan(0.45);
  expect(second).toBeLessThan(3);
  expect(third, "the good one at once").toBeLessThan(0.4);
  for (const seconds of outages(log)) expect(seconds).toBeLessThan(OUTAGE_S_MAX);
});

/** Only with the stand-in: no component of the real build can be made to lose its health. */
test.concurrent("one that is healthy and flips, or falls ill for good, is taken back without a restart of its own", { timeout: TEST_MS_MAX }, async (hooks) => {
  const { good, stage, supervisor } = await provenStage({ agent: { config_probation: PROBATION, config_apply_timeout: "2s" }, hooks });
  const fault = "extensions, extension:standin_faults: stand-in fault: unhealthy on purpose";
  const cases = [
    ["flips", { flip_every: "300ms" }, "the Collector lost its health 5 times during probation"],
    ["falls ill", { unhealthy_after: "500ms" }, "the Collector was not healthy for 2 s during probation"],
  ] as const;
  for (const [index, [what, faults, begin]] of cases.entries()) {
    const told = stage.agent.messages.length;
    const hash = await stage.send(faulty(`fickle${index}`, faults));
    const { error } = await failureOf(stage, hash);
    expect(error, what).toBe(`${begin}: ${fault}; configuration ${good}, which worked before, runs instead`);
    await expectGoodAgain(stage, hash);
    // Before it was taken back, the server was told of its illness.
    expect(stage.agent.messages.slice(told).map(({ health }) => health?.lastError), what).toContain(fault);
    const log = since(supervisor, "Remote configuration received", index + 1);
    expect(log.filter(({ msg }) => msg === "Collector starts"), what).toHaveLength(2);
    expect(log.filter(({ msg }) => msg === "Collector ended unasked"), what).toEqual([]);
  }
});

test.concurrent("one that makes the Collector ignore SIGTERM is applied, and killed after its grace for the next one", { timeout: TEST_MS_MAX }, async (hooks) => {
  const { stage, supervisor } = await provenStage({ agent: { config_probation: PROBATION }, hooks });
  await stage.apply(faulty("deaf", { ignore_sigterm: true }));
  const deaf = await stage.collector();
  const sentAt = systemClock.now();
  const hash = await stage.send(nopPipeline("next"));
  await stage.until("the word that it is being stopped", () => stage.agent.health?.lastError === "the Collector is being stopped");
  expect(await stage.collector()).toBe(deaf);

  expect(await stage.outcome(hash, 0, APPLIED_MS_MAX)).toMatchObject({ is: "applied", error: "" });
  expect(systemClock.now() - sentAt).toBeGreaterThan(9_900);
  expect(await stage.collector()).not.toBe(deaf);
  expect(stage.agent.effectiveConfig).toContain("nop/next");
  await supervisor.logs("Remote configuration applied", 2);
  const course = since(supervisor, "Remote configuration received", 2).map(({ msg }) => msg);
  expect(course.slice(1)).toEqual([
    "Collector stops",
    "Collector ignores the stop signal and is killed",
    "Collector starts",
    "Collector is healthy",
    "Remote configuration applied",
  ]);
});

/** The reason without the Collector's output behind it. */
function cause(error: string): string {
  return error.split("\nCollector log tail:\n")[0] ?? "";
}

/** From line number `count` of that message on. */
function since(supervisor: SupervisorProcess, message: string, count: number): readonly LogLine[] {
  const line = supervisor.said(message)[count - 1];
  return line === undefined ? [] : supervisor.log.slice(supervisor.log.indexOf(line));
}

function next(log: readonly LogLine[], after: LogLine, message: string): LogLine | undefined {
  return log.slice(log.indexOf(after)).find(({ msg }) => msg === message);
}

/** Seconds. */
function ts(line: LogLine | undefined): number {
  return Number(line?.["ts"]);
}

/** The seconds without a healthy Collector, one figure for each stretch. */
function outages(log: readonly LogLine[]): number[] {
  const lengths: number[] = [];
  let downSince: number | null = null;
  for (const line of log) {
    if (line.msg === "Collector stops" || line.msg === "Collector ended unasked") downSince ??= ts(line);
    if (line.msg !== "Collector is healthy" || downSince === null) continue;
    lengths.push(ts(line) - downSince);
    downSince = null;
  }
  return lengths;
}
