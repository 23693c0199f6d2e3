/** What runs while what should run cannot, and the way up again. */
import { expect, test } from "vitest";
import { COMPOSE_MS } from "../../src/core/limits.js";
import { APPLIED_A, GOOD_A, provenOf, Story, testFacts } from "../support/story.js";


/** A good configuration is refused for this reason, and runs as it was proven. */
async function refused(reason: string): Promise<Story> {
  const story = new Story({ memory: GOOD_A });
  await story.post({ is: "server-connected" });
  await story.refused(reason);
  await story.prepared();
  await story.started();
  await story.health("healthy");
  return story;
}

test("what should run is refused with the local files of today: it runs as it was proven, and is composed again after a minute", async () => {
  const story = await refused("local.yaml: unknown component");
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { text: "A", remoteHash: "A" } } } });
  expect(story.reports.at(-1)?.health).toMatchObject({
    healthy: true,
    rollout: "standing in",
    rolloutError: "configuration A does not run, the last good configuration, as it was proven, runs instead, and it is tried again: local.yaml: unknown component",
  });
  story.read();
  await story.advance(60_000);
  await story.prepared({ digest: "digest-A-and-new-files" });
  await story.exited();
  await story.started();
  await story.health("healthy");
  await story.advance(60_000);
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config A proven digest-A (it is time to try configuration A again)
    > config-prepared digest-A-and-new-files
      save status applied A, received A, working A, on trial digest-A-and-new-files
      stop-collector #1 next digest-A-and-new-files (configuration A is tried again)
      tell applied A; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-A-and-new-files (configuration A is tried again)
      tell applied A; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-health #2 healthy
      tell applied A; healthy
      save status applied A, received A, working A"
  `);
  expect(story.state.standIn).toBeNull();
  expect(story.saves.at(-1)?.proven).toMatchObject({ digest: "digest-A-and-new-files" });
});

test("five crashes in a row and the next step down runs; tried again in vain, the wait grows", async () => {
  const story = new Story({ memory: GOOD_A, policy: { hasStartupFallback: true } });
  await story.up();
  await story.post({ is: "collector-exited", attempt: 1, exit: { code: 1, signal: null, memoryKill: "none", tail: "" } });
  for (let crashes = 2; crashes <= 5; crashes++) await story.crash();
  await story.prepared();
  await story.started();
  await story.health("healthy");
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { text: "fallback" } } } });
  expect(story.reports.at(-1)?.health.healthy).toBe(false);
  expect(story.reports.at(-1)?.remoteConfig.status).toBe(APPLIED_A);
  story.read();
  story.recorded.splice(0);
  for (const wait of [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000]) {
    await story.advance(wait - 1);
    expect(story.read(), `before ${wait}`).toBe("");
    await story.advance(1);
    await story.prepared();
    await story.exited();
    await story.started();
    await story.exited({ code: 1 });
    // The files of the fallback are read again too.
    await story.prepared();
    await story.started();
    await story.health("healthy");
    expect(story.state.wanted, `after ${wait}`).toMatchObject({ run: { build: { prepared: { text: "fallback" } } } });
    story.read();
  }
  expect(story.recorded.filter((line) => line.startsWith("Still does not run"))).toHaveLength(8);
});

test("a step down that crashes too gives way to the next, and the last one is restarted as everything is", async () => {
  const story = new Story({ memory: GOOD_A, policy: { hasStartupFallback: true } });
  await story.up();
  await story.exited({ code: 1 });
  for (let crashes = 2; crashes <= 5; crashes++) await story.crash();
  await story.prepared();
  for (let crashes = 1; crashes <= 5; crashes++) await story.crash();
  await story.prepared();
  for (let crashes = 1; crashes <= 10; crashes++) await story.crash();
  expect(story.recorded.filter((line) => /^(Stepping down|Collector is held)/.test(line)).map((line) => line.replace(/"because":.*?,"to"/, '"to"'))).toEqual([
    'Stepping down {"to":"fallback","hash":"A","attempt":5}',
    'Stepping down {"to":"local","hash":"A","attempt":10}',
    expect.stringMatching(/^Collector is held/),
  ]);
});

test("steps of which each crashes or is refused end in a hold as one Collector that crashes does", async () => {
  const story = new Story({ memory: GOOD_A, policy: { hasStartupFallback: true } });
  await story.post({ is: "server-connected" });
  // The local files of today refuse A and the local configuration, and what was proven crashes.
  const starts: number[] = [];
  let seen = 0;
  const end = story.now + 1_800_000;
  while (story.now < end) {
    for (const effect of story.effects.slice(seen)) {
      seen += 1;
      if (effect.do === "prepare-config") await (effect.source.is === "as-it-was" ? story.prepared() : story.refused("no such component"));
      if (effect.do === "start-collector") {
        starts.push(story.now);
        await story.started();
        await story.exited({ code: 1 });
      }
    }
    await story.advance(100);
  }
  const late = starts.filter((at) => at > end - 900_000);
  expect(late.length).toBeGreaterThanOrEqual(3);
  expect(late.length).toBeLessThanOrEqual(20);
  expect(story.recorded.some((line) => line.startsWith("Collector is held"))).toBe(true);
});

test("another executable has to show that it lasts, though the text is the one that was proven", async () => {
  const story = new Story({ memory: { ...GOOD_A, proven: provenOf("A", { executable: "/otelcol:0" }) } });
  await story.up();
  expect(story.state.probation).toMatchObject({ of: "base", build: { prepared: { digest: "digest-A" } } });
  expect(story.saves.at(-1)?.proven?.executable ?? "/otelcol:0").toBe("/otelcol:0");
  await story.advance(60_000);
  expect(story.saves.at(-1)?.proven?.executable).toBe(testFacts.identity);
  expect(story.recorded.at(-1)).toMatch(/^Configuration is good .*it passed its probation/);
  expect(story.reports.at(-1)?.remoteConfig.status).toBe(APPLIED_A);
});

test("a new configuration that becomes good ends it all", async () => {
  const story = await refused("no such component");
  await story.swap("B");
  await story.health("healthy");
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: true, rollout: "on probation", rolloutError: "" });
  await story.advance(60_000);
  expect(story.state).toMatchObject({ standIn: null, base: { remote: { hash: "B" } } });
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: true, rollout: "idle" });
});

test("a new configuration that fails is followed by what stood in before it, and its reason says so", async () => {
  const story = await refused("no such component");
  await story.swap("B");
  await story.exited({ code: 1 });
  expect(story.reports.at(-1)?.remoteConfig.error).toBe("the Collector exited with code 1 before it was healthy; the last good configuration, as it was proven, runs instead");
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { text: "A" } } } });
});

test("without going back what failed stays, restarts and is held; the next life runs it again", async () => {
  const story = new Story({ policy: { rollsBack: false, probationMs: 0 } });
  await story.up();
  await story.swap("B");
  await story.exited({ code: 1 });
  expect(story.saves.at(-1)).toMatchObject({ status: { is: "failed", hash: "B" }, lastWorking: null, failures: [] });
  for (let crashes = 1; crashes <= 10; crashes++) await story.crash();
  expect(story.reports.at(-1)?.health.process).toBe("held");
  expect(story.state.standIn).toBeNull();

  const next = new Story({ policy: { rollsBack: false, probationMs: 0 }, memory: story.saves.at(-1) ?? {} });
  await next.up();
  expect(next.state.wanted).toMatchObject({ run: { build: { remote: { hash: "B" } } } });
});

test("the startup fallback waits for the server for half a second, runs, and ends with the first connection for good", async () => {
  const story = new Story({ policy: { hasStartupFallback: true } });
  await story.advance(499);
  expect(story.read()).toBe('  tell unset; unhealthy "the configuration is being prepared"');
  await story.advance(1);
  await story.prepared();
  await story.started();
  await story.health("healthy");
  await story.post({ is: "server-connected" });
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  await story.post({ is: "server-lost", error: "gone" });
  await story.advance(3_600_000);
  await story.post({ is: "server-connected" });
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config fallback (the server was not reached yet)
    > config-prepared digest-fallback
      start-collector #1 digest-fallback (the startup fallback runs until the server is reached)
      tell unset; unhealthy "the Collector is starting"
    > collector-started #1
    > collector-health #1 healthy
      tell unset; healthy
    > server-connected
      prepare-config local (the server was reached)
    > config-prepared digest-local
      stop-collector #1 next digest-local (the local configuration is wanted)
      tell unset; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-local (the local configuration is wanted)
      tell unset; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-health #2 healthy
      tell unset; healthy
    > server-lost
    > server-connected"
  `);
  expect(story.reports.at(-1)?.health).toMatchObject({ losses: 1, lossError: "gone" });
});

test("a server that answers at once spares the fallback", async () => {
  const story = new Story({ policy: { hasStartupFallback: true } });
  await story.post({ is: "server-connected" });
  await story.prepared();
  expect(story.read()).not.toContain("fallback");
});

test("a wish to try again reads the local files anew; where nothing changed, nothing is touched", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.post({ is: "retry-requested" });
  await story.prepared();
  expect(story.read()).toMatchInlineSnapshot(`
    "> retry-requested
      prepare-config local proven digest-local (the local files are read again)
    > config-prepared digest-local"
  `);
  await story.post({ is: "retry-requested" });
  await story.refused("local.yaml: broken");
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: true, rolloutError: "the changed local files are not in use: local.yaml: broken" });
  await story.post({ is: "retry-requested" });
  await story.prepared({ digest: "digest-other-files" });
  await story.exited();
  await story.started();
  await story.health("healthy");
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: true, rollout: "on probation", rolloutError: "" });
});

test("held for long, the local files are read again before each try, and repaired ones run at once", async () => {
  const story = new Story();
  await story.post({ is: "server-connected" });
  await story.prepared();
  for (let crashes = 1; crashes <= 10; crashes++) await story.crash();
  expect(story.reports.at(-1)?.health.process).toBe("held");
  story.read();
  await story.advance(300_000 - COMPOSE_MS - 1);
  expect(story.read()).toBe("");
  await story.advance(1);
  await story.prepared({ digest: "digest-repaired" });
  expect(story.read()).toContain("start-collector #11 digest-repaired");
});

test("a disk that is full at the start is no configuration's fault: the same is prepared again, and nothing below it", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.refused("no space left on device", { isBlameless: true });
  expect(story.reports.at(-1)?.health.lastError).toBe("no configuration can run: no space left on device");
  story.read();
  await story.advance(30_000);
  expect(story.read()).toBe("  prepare-config A proven digest-A (the one before was refused)");
});

test("a reload that fails outside of a trial is followed by a restart", async () => {
  const story = new Story({ memory: GOOD_A, policy: { reloadsByHup: true } });
  await story.up();
  await story.post({ is: "retry-requested" });
  await story.prepared({ digest: "digest-new-files" });
  story.read();
  await story.post({ is: "collector-not-reloaded", attempt: 1, error: "no space left on device" });
  expect(story.read()).toContain("stop-collector #1 next digest-new-files (it could not be reloaded: no space left on device)");
});
