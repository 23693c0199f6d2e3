/** What failed for a reason that was not in it is tried again by itself: nobody has to offer it once more. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, Story, testFacts } from "../support/story.js";

function told(story: Story): string {
  const status = story.reports.at(-1)?.remoteConfig.status;
  return `${status?.is} ${status?.hash}`;
}

test("an offer that could not be stored is tried as soon as the disk has room, without a new offer", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, saveError: () => error });
  await story.up();
  error = "no space left on device";
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.advance(3_600_000);
  expect(told(story)).toBe("failed B");
  expect(story.trace.filter((line) => line.includes("prepare-config B"))).toEqual([]);
  error = null;
  await story.advance(5_000 + 30_000);
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  expect(told(story)).toBe("applied B");
  expect(story.saves.at(-1)?.lastReceived?.hash).toBe("B");
});

test("a FAILED that cannot be stored is not told, but what runs instead is not told to be healthy", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, saveError: () => error });
  await story.up();
  await story.swap("B");
  await story.health("healthy");
  expect(told(story)).toBe("applied B");
  error = "no space left on device";
  for (let crash = 1; crash <= 3; crash++) {
    await story.exited({ code: 1 });
    while (story.state.process.is === "down") await story.advance(100);
    await story.started();
    await story.health("healthy");
  }
  expect(story.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
  expect(told(story)).toBe("applied B");
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: false });
  expect(story.reports.at(-1)?.health.lastError).toMatch(/^configuration B failed, which cannot be stored yet: the Collector exited with code 1, crash number 3/);
  error = null;
  await story.advance(5_000);
  expect(told(story)).toBe("failed B");
  expect(story.reports.at(-1)?.health).toMatchObject({ healthy: true });
});

test("one that was refused for want of the executable is prepared again, after ever longer pauses", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  for (const pause of [30_000, 60_000, 120_000, 240_000]) {
    await story.refused("/otelcol: no such file", { isBlameless: true });
    expect(told(story)).toBe("failed B");
    story.read();
    await story.advance(pause - 1);
    expect(story.read(), `before ${pause}`).toBe("");
    await story.advance(1);
    expect(story.read()).toContain("prepare-config B");
    expect(told(story)).toBe("applying B");
  }
  await story.refused("unknown exporter");
  story.read();
  await story.advance(7_200_000);
  expect(story.read()).toBe("");
  expect(told(story)).toBe("failed B");
});

test("while the executable cannot be described an offer is FAILED, not APPLYING for ever; then it is tried", async () => {
  const story = new Story({ remembered: null });
  await story.post({ is: "server-connected" });
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  await story.post({ is: "executable-not-described", error: "otelcol prints no version" });
  expect(told(story)).toBe("failed A");
  expect(story.reports.at(-1)?.remoteConfig.status?.error).toBe(
    "the configuration was not tried, since the Collector's executable cannot be described: otelcol prints no version",
  );
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  expect(told(story)).toBe("failed B");
  await story.advance(3_600_000);
  await story.post({ is: "executable-described", facts: testFacts });
  await story.prepared();
  expect(story.read()).toContain("prepare-config B");
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  expect(told(story)).toBe("applied B");
});

test("nor does a restart of the supervisor forget that it is to be tried again", async () => {
  const first = new Story({ memory: GOOD_A });
  await first.up();
  await first.post({ is: "remote-config-offered", config: offerOf("B") });
  await first.refused("no space left on device", { isBlameless: true });
  const story = new Story({ memory: first.saves.at(-1) ?? {} });
  await story.up();
  expect(told(story)).toBe("failed B");
  story.read();
  await story.advance(30_000);
  expect(story.read()).toContain("prepare-config B");
});

test("a newer offer takes the place of the one that would be tried again", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.refused("no space left on device", { isBlameless: true });
  await story.post({ is: "remote-config-offered", config: offerOf("C") });
  await story.advance(2_000);
  await story.refused("unknown exporter");
  story.read();
  await story.advance(3_600_000);
  expect(story.read()).toBe("");
  expect(told(story)).toBe("failed C");
});

test("a second wish to read the local files while they are being read is not lost", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "retry-requested" });
  const early = story.effects.findLast((effect) => effect.do === "prepare-config");
  story.read();
  await story.post({ is: "retry-requested" });
  expect(story.read()).toContain("prepare-config A");
  await story.post({ is: "config-refused", ticket: early?.do === "prepare-config" ? early.ticket : 0, reason: "half written", isBlameless: false });
  await story.prepared({ digest: "digest-new-files" });
  expect(story.state.base.build?.prepared.digest).toBe("digest-new-files");
  expect(story.state.base.refusal).toBe("");
});

test("a new identity that cannot be taken over now is taken over later; until then nobody believes it is", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "identity-assigned", instanceUid: "01900000-0000-7000-8000-00000000000f" });
  await story.refused("/otelcol: no such file", { isBlameless: true });
  expect(story.state.base.build?.instanceUid).toBe("01900000-0000-7000-8000-000000000001");
  expect(story.state.wanted).toMatchObject({ run: { build: { instanceUid: "01900000-0000-7000-8000-000000000001" } } });
  story.read();
  await story.advance(30_000);
  expect(story.read()).toBe("  prepare-config A as it was proven digest-A (the server assigned a new instance uid)");
  await story.prepared();
  expect(story.state.wanted).toMatchObject({ run: { build: { instanceUid: "01900000-0000-7000-8000-00000000000f" } } });
});

test("local files that could not be composed for want of disk space are composed again", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.post({ is: "retry-requested" });
  await story.refused("no space left on device", { isBlameless: true });
  story.read();
  await story.advance(29_999);
  expect(story.read()).toBe("");
  await story.advance(1);
  expect(story.read()).toBe("  prepare-config A proven digest-A (the local files are read again)");
  await story.prepared({ digest: "digest-new-files" });
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { digest: "digest-new-files" } } } });
});

test("while nothing can be composed for want of disk space, what stands in runs on, and is not told to be all right", async () => {
  const story = new Story({ memory: { ...GOOD_A, proven: null } });
  await story.post({ is: "server-connected" });
  await story.refused("no such component");
  await story.prepared();
  await story.started();
  await story.health("healthy");
  expect(story.reports.at(-1)?.health.healthy).toBe(false);
  for (let minutes = 0; minutes < 10; minutes++) {
    await story.advance(60_000);
    await story.refused("no space left on device", { isBlameless: true });
    expect(story.state.process.is).toBe("healthy");
    expect(story.reports.at(-1)?.health).toMatchObject({ healthy: false });
    expect(story.reports.at(-1)?.health.lastError).toMatch(/^configuration A does not run, /);
  }
  await story.advance(60_000);
  await story.prepared();
  expect(story.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
});
