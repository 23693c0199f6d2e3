/** Between applied and good: what a configuration has to stand, and what is returned to when it does not. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, provenOf, Story, testFacts } from "../support/story.js";

async function applied(name: string): Promise<Story> {
  const story = new Story();
  await story.up();
  await swap(story, name);
  return story;
}

async function swap(story: Story, name: string): Promise<void> {
  await story.swap(name);
  await story.health("healthy");
}

test("a configuration is good once it stayed healthy for the whole probation", async () => {
  const story = await applied("A");
  story.read();
  await story.advance(59_999);
  expect(story.saves.at(-1)?.lastWorking).toBe(null);
  await story.advance(1);
  expect(story.read()).toMatchInlineSnapshot(`"  save status applied A, received A, working A"`);
  expect(story.saves.at(-1)).toMatchObject({ lastWorking: { hash: "A" }, trials: [], proven: { digest: "digest-A" } });
});

test("a single crash that recovers is a restart, and the probation begins anew", async () => {
  const story = await applied("A");
  await story.advance(50_000);
  await story.exited({ code: 2 });
  await story.started();
  await story.health("healthy");
  await story.advance(59_000);
  expect(story.state.offers).toMatchObject({ lastWorking: null, status: { is: "applied", hash: "A" } });
  await story.advance(1_000);
  expect(story.state.offers.lastWorking?.hash).toBe("A");
});

test("an executable that is away for a while is not the configuration's fault: APPLIED stays, and probation begins anew", async () => {
  const story = await applied("A");
  await story.exited({ code: 2 });
  for (let i = 0; i < 8; i++) {
    while (story.state.process.is === "down") await story.advance(1_000);
    await story.post({ is: "collector-not-started", attempt: story.state.attempt, error: "there is no such file" });
  }
  expect(story.state.offers).toMatchObject({ status: { is: "applied", hash: "A" }, failures: [] });
  while (story.state.process.is === "down") await story.advance(1_000);
  await story.started();
  await story.health("healthy");
  await story.advance(59_999);
  expect(story.state.offers.lastWorking).toBe(null);
  await story.advance(1);
  expect(story.state.offers).toMatchObject({ lastWorking: { hash: "A" }, status: { is: "applied", hash: "A" } });
});

test("a crash loop during probation turns APPLIED into FAILED, and what was good runs again", async () => {
  const story = await applied("A");
  await story.advance(60_000);
  await swap(story, "B");
  story.read();
  for (let i = 0; i < 3; i++) {
    await story.advance(5_000);
    await story.exited({ code: 2, tail: "panic: out of luck" });
    if (i === 2) break;
    while (story.state.process.is === "down") await story.advance(100);
    await story.started();
    await story.health("healthy");
  }
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-exited #3 code 2
      start-collector #4 digest-B (the Collector ended unasked)
      tell applied B; unhealthy "the Collector is being restarted: the Collector exited with code 2
    Collector log tail:
    panic: out of luck"
    > collector-started #4
    > collector-health #4 healthy
      tell applied B; healthy
    > collector-exited #4 code 2
      tell applied B; unhealthy "the Collector exited with code 2
    Collector log tail:
    panic: out of luck"
      start-collector #5 digest-B (the Collector ended unasked)
      tell applied B; unhealthy "the Collector is being restarted: the Collector exited with code 2
    Collector log tail:
    panic: out of luck"
    > collector-started #5
    > collector-health #5 healthy
      tell applied B; healthy
    > collector-exited #5 code 2
      save status failed B, received B, working A
      start-collector #6 digest-A (configuration B failed during probation)
      tell failed B "the Collector exited with code 2, crash number 3 during probation; configuration A, which worked before, runs instead
    Collector log tail:
    panic: out of luck"; unhealthy "the Collector is being restarted: the Collector exited with code 2
    Collector log tail:
    panic: out of luck""
  `);
});

test.each([5_000, 50_000])("one that dies %i ms after it was healthy stays APPLIED for two deaths, and is taken back at the third", async (lifeMs) => {
  const story = await applied("A");
  await story.advance(60_000);
  await swap(story, "B");
  const pauses: number[] = [];
  for (let death = 1; death < 3; death++) {
    await story.advance(lifeMs);
    await story.exited({ code: 2 });
    const diedAt = story.now;
    while (story.state.process.is === "down") await story.advance(10);
    pauses.push(story.now - diedAt);
    expect(story.state.offers).toMatchObject({ status: { is: "applied", hash: "B" }, lastWorking: { hash: "A" } });
    await story.started();
    await story.health("healthy");
  }
  expect(pauses).toEqual([0, 1_000]);
  await story.advance(lifeMs);
  await story.exited({ code: 2 });
  expect(story.saves.at(-1)).toMatchObject({ status: { is: "failed", hash: "B" }, lastWorking: { hash: "A" }, trials: [] });
  expect(story.reports.at(-1)?.remoteConfig.error).toBe(
    "the Collector exited with code 2, crash number 3 during probation; configuration A, which worked before, runs instead",
  );
  expect(story.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
});

test("lasting illness during probation ends it", async () => {
  const story = await applied("A");
  story.read();
  await story.health("unhealthy", "exporter otlp: no route");
  await story.advance(30_000);
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-health #2 unhealthy
      tell applied A; unhealthy "exporter otlp: no route"
      save status failed A, received A, working none
      stop-collector #2 next digest-local (configuration A failed during probation)
      tell failed A "the Collector was not healthy for 30 s during probation: exporter otlp: no route; the local configuration runs instead"; unhealthy "the Collector is being stopped""
  `);
});

test("flip-flopping during probation ends it", async () => {
  const story = await applied("A");
  for (let i = 0; i < 4; i++) {
    await story.health("unhealthy", "flip");
    await story.advance(1_000);
    await story.health("healthy");
    await story.advance(1_000);
  }
  expect(story.state.offers.status?.is).toBe("applied");
  await story.health("unhealthy", "flop");
  expect(story.state.offers.status).toMatchObject({ is: "failed", hash: "A" });
  expect(story.reports.at(-1)?.remoteConfig.error).toContain("lost its health 5 times during probation: flop; the local configuration runs instead");
});

test("after good, a crash is a restart however often it happens: nothing is taken back", async () => {
  const story = await applied("A");
  await story.advance(60_000);
  for (let i = 0; i < 5; i++) {
    await story.exited({ code: 2 });
    while (story.state.process.is === "down") await story.advance(1_000);
    await story.started();
  }
  expect(story.state.offers).toMatchObject({ status: { is: "applied", hash: "A" }, lastWorking: { hash: "A" } });
});

test("a newer one that fails gives way to the one on probation, whose probation begins anew", async () => {
  const story = await applied("A");
  await story.advance(30_000);
  story.read();
  await story.swap("B");
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B
      save status applying B, received B, working none, on trial B
      prepare-config B proven digest-local (configuration B was offered)
      tell applying B; healthy
    > config-prepared digest-B
      stop-collector #2 next digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is being stopped"
    > collector-exited #2 code 0
      start-collector #3 digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > collector-started #3
    > collector-exited #3 code 1
      save status failed B, received B, working none, on trial A
      start-collector #4 digest-A (configuration B failed)
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead"; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy"
    > collector-started #4
    > collector-health #4 healthy
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead"; healthy"
  `);
  expect(story.saves.at(-1)).toMatchObject({ onProbation: { hash: "A" }, trials: [{ of: "offer" as const, hash: "A" }] });
  await story.advance(60_000);
  expect(story.state.offers).toMatchObject({ lastWorking: { hash: "A" }, status: { is: "failed", hash: "B" } });
});

test("what FAILED says to run instead is what runs: also when that fails later", async () => {
  const story = await applied("A");
  await story.advance(60_000);
  await swap(story, "B");
  await story.swap("C");
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  const error = (): string | undefined => story.reports.at(-1)?.remoteConfig.error;
  expect(error()).toBe("the Collector exited with code 1 before it was healthy; configuration B, which worked before, runs instead");
  story.recorded.splice(0);
  for (let crash = 1; crash <= 3; crash++) {
    await story.crash();
    if (crash < 3) {
      while (story.state.process.is === "down") await story.advance(100);
      await story.started();
      await story.health("healthy");
    }
  }
  expect(story.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
  expect(error()).toBe("the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead");
  expect(story.recorded.filter((line) => /^(Remote configuration failed|Going back)/.test(line))).toEqual([
    expect.stringMatching(/^Remote configuration failed \{"hash":"B","because":"the Collector exited with code 1/),
    expect.stringMatching(/^Going back .*"hash":"A"/),
  ]);
});

test("a refused offer leaves the probation of what runs undisturbed", async () => {
  const story = await applied("A");
  await story.advance(30_000);
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.refused("unknown exporter");
  await story.advance(30_000);
  expect(story.state.offers).toMatchObject({ lastWorking: { hash: "A" }, status: { is: "failed", hash: "B" } });
});

test("the same content that failed before is not tried again under another hash", async () => {
  const story = new Story();
  await story.up();
  await story.swap("B");
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  await story.advance(5_000);
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("B", "B-with-a-time-stamp") });
  await story.prepared();
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B-with-a-time-stamp
      save status applying B-with-a-time-stamp, received B-with-a-time-stamp, working none, on trial B-with-a-time-stamp
      prepare-config B-with-a-time-stamp proven digest-local (configuration B-with-a-tim was offered)
      tell applying B-with-a-time-stamp; healthy
    > config-prepared digest-B
      save status failed B-with-a-time-stamp, received B-with-a-time-stamp, working none
      tell failed B-with-a-time-stamp "the Collector exited with code 1 before it was healthy; the local configuration runs instead"; healthy"
  `);
});

test("the last 32 that failed are remembered, each with reason, time and version", async () => {
  const story = new Story();
  await story.up();
  for (let number = 1; number <= 40; number++) {
    await story.swap(`bad-${number}`);
    await story.exited({ code: 1 });
    await story.started();
    await story.health("healthy");
    await story.advance(3_000);
  }
  const { failures } = story.saves.at(-1) ?? { failures: [] };
  expect(failures.map(({ hash }) => hash)).toEqual(Array.from({ length: 32 }, (_, index) => `bad-${40 - index}`));
  expect(failures[0]).toEqual({
    digest: "digest-bad-40",
    executable: testFacts.identity,
    hash: "bad-40",
    reason: "the Collector exited with code 1 before it was healthy",
    version: "0.149.0",
    isDeadly: false,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
  });
});

test("a probation that a death of the supervisor cut short runs again, but not after the third death", async () => {
  const status = { is: "applied", hash: "B", error: "" } as const;
  const stored = { lastReceived: offerOf("B"), lastWorking: offerOf("A"), status, proven: provenOf("A") };
  const second = new Story({ memory: { ...stored, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 1 }] } });
  await second.settle();
  await second.prepared(); // what is good, for the way back
  expect(second.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "B", lives: 2 }]);
  await second.prepared();
  expect(second.state.wanted).toMatchObject({ run: { build: { remote: { hash: "B" } } } });

  const fourth = new Story({ memory: { ...stored, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 3 }] } });
  await fourth.settle();
  expect(fourth.recorded[0]).toBe(
    'Remote configuration failed {"hash":"B","because":"the supervisor ended 3 times while this configuration was on trial; it is not tried again"}',
  );
  await fourth.prepared();
  await fourth.started();
  await fourth.health("healthy");
  expect(fourth.read()).toMatchInlineSnapshot(`
    "  save status failed B, received B, working A
      prepare-config A proven digest-A (the supervisor has started)
      tell failed B "the supervisor ended 3 times while this configuration was on trial; it is not tried again; configuration A, which worked before, runs instead"; unhealthy "the configuration is being prepared"
    > config-prepared digest-A
      start-collector #1 digest-A (configuration A worked last)
      tell failed B "the supervisor ended 3 times while this configuration was on trial; it is not tried again; configuration A, which worked before, runs instead"; unhealthy "the Collector is starting"
    > collector-started #1
    > collector-health #1 healthy
      tell failed B "the supervisor ended 3 times while this configuration was on trial; it is not tried again; configuration A, which worked before, runs instead"; healthy"
  `);
});

test("what is on trial is on disk before anything is stopped, with the time by which it is decided", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  // 1 s after the epoch it is offered; 30 s to become healthy, 60 s of probation.
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "B", lives: 1, until: "1970-01-01T00:01:31.000Z" }]);
  expect(story.effects.some((effect) => effect.do === "stop-collector")).toBe(false);
  await story.prepared();
  expect(story.effects.at(-1)).toMatchObject({ do: "stop-collector" });
  expect(story.saves.at(-1)?.trials).toMatchObject([{ digest: "digest-B", executable: testFacts.identity, until: "1970-01-01T00:01:31.000Z" }]);
});

test("a clean shutdown during probation is no death", async () => {
  const story = await applied("A");
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "A", lives: 1 }]);
  await story.post({ is: "shutdown-requested", because: "received SIGTERM" });
  await story.exited();
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "A", lives: 0 }]);
});

test("many crashes in a row hold the Collector; a restart command ends the hold at once", async () => {
  const story = new Story();
  await story.up();
  for (let i = 0; i < 10; i++) {
    await story.exited({ code: 1 });
    while (i < 9 && story.state.process.is === "down") await story.advance(1_000);
    if (i < 9) await story.started();
  }
  expect(story.state.process).toMatchObject({ is: "down", held: true });
  expect(story.reports.at(-1)?.health.lastError).toBe(
    "held after 10 crashes in a row, tried again slowly: the Collector exited with code 1 before it was healthy",
  );
  await story.post({ is: "restart-commanded" });
  expect(story.state.process.is).toBe("starting");
});

test("without a probation what was healthy once is good", async () => {
  const story = new Story({ policy: { probationMs: 0 } });
  await story.up();
  await swap(story, "A");
  expect(story.saves.at(-1)).toMatchObject({ lastWorking: { hash: "A" }, trials: [] });
});

test("after a death in the middle of a trial, what was on probation comes back first, and is returned to when the trial fails", async () => {
  const status = { is: "applying", hash: "B", error: "" } as const;
  const trials = [{ of: "offer", hash: "B", digest: "", executable: "", lives: 1 }] as const;
  const story = new Story({ memory: { lastReceived: offerOf("B"), lastWorking: offerOf("G"), onProbation: offerOf("A"), status, trials } });
  await story.settle();
  await story.prepared(); // the good one, for the way back
  await story.prepared(); // the one on probation
  await story.started();
  expect(story.saves.at(-1)).toMatchObject({ onProbation: { hash: "A" }, trials: [{ hash: "A", lives: 1 }, { hash: "B", lives: 1 }] });
  await story.health("healthy");
  await story.prepared(); // the trial that was cut short
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config G (the supervisor has started)
      tell applying B; unhealthy "the configuration is being prepared"
    > config-prepared digest-G
      save status applying B, received B, working G, on trial A and B
      prepare-config A (configuration A was offered)
      tell applying B; unhealthy "the Collector is starting"
    > config-prepared digest-A
      start-collector #1 digest-A (configuration A was offered)
    > collector-started #1
    > collector-health #1 healthy
      save status applying B, received B, working G, on trial B
      prepare-config B (configuration B was offered)
      tell applying B; healthy
    > config-prepared digest-B
      stop-collector #1 next digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-exited #2 code 1
      save status failed B, received B, working G, on trial A
      start-collector #3 digest-A (configuration B failed)
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead"; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy"
    > collector-started #3
    > collector-health #3 healthy
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead"; healthy"
  `);
});
