/** What the next life of the supervisor makes of the state on disk, and what happens while saving fails. */
import { expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { GOOD_A, offerOf, provenOf, Story, testFacts } from "../support/story.js";

test("an applied configuration runs again after a restart, and no status is made up", async () => {
  const status = { is: "applied", hash: "A", error: "" } as const;
  const proven = provenOf("A");
  const story = new Story({ memory: { lastReceived: offerOf("A"), lastWorking: offerOf("A"), status, proven } });
  await story.up();
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config A proven digest-A (the supervisor has started)
      tell applied A; unhealthy "the configuration is being prepared"
    > server-connected
    > config-prepared digest-A
      start-collector #1 digest-A (configuration A worked last)
      tell applied A; unhealthy "the Collector is starting"
    > collector-started #1
    > collector-health #1 healthy
      tell applied A; healthy"
  `);
});

test("after a failed one the last that worked runs, and FAILED is told again", async () => {
  const status = { is: "failed", hash: "B", error: "boom" } as const;
  const story = new Story({ memory: { lastReceived: offerOf("B"), lastWorking: offerOf("A"), status } });
  await story.up();
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config A (the supervisor has started)
      tell failed B "boom"; unhealthy "the configuration is being prepared"
    > server-connected
    > config-prepared digest-A
      start-collector #1 digest-A (configuration A worked last)
      tell failed B "boom"; unhealthy "the Collector is starting"
    > collector-started #1
    > collector-health #1 healthy
      tell failed B "boom"; healthy"
  `);
});

test("a trial that was cut short is tried again on top of what worked", async () => {
  const status = { is: "applying", hash: "B", error: "" } as const;
  const story = new Story({ memory: { lastReceived: offerOf("B"), lastWorking: offerOf("A"), status } });
  await story.post({ is: "server-connected" });
  await story.prepared();
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  expect(story.read()).toMatchInlineSnapshot(`
    "> server-connected
      prepare-config A (the supervisor has started)
      tell applying B; unhealthy "the configuration is being prepared"
    > config-prepared digest-A
      save status applying B, received B, working A, on trial B
      start-collector #1 digest-A (configuration A worked last)
      prepare-config B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > config-prepared digest-B
      stop-collector #1 next digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-health #2 healthy
      save status applied B, received B, working A, on trial B
      tell applied B; healthy"
  `);
});

test("a stored configuration that no longer validates steps down, and the server is told the truth", async () => {
  const status = { is: "applied", hash: "B", error: "" } as const;
  const story = new Story({ memory: { lastReceived: offerOf("B"), lastWorking: offerOf("A"), status } });
  await story.post({ is: "server-connected" });
  await story.refused("unknown component b");
  await story.refused("unknown component a");
  await story.prepared();
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config B (the supervisor has started)
      tell applied B; unhealthy "the configuration is being prepared"
    > server-connected
    > config-refused: unknown component b
      prepare-config A (configuration B does not run)
      tell applied B; unhealthy "configuration B does not run, the configuration that worked before is being prepared instead, and it is tried again: unknown component b"
    > config-refused: unknown component a
      prepare-config local (configuration B does not run)
      tell applied B; unhealthy "configuration B does not run, the local configuration alone is being prepared instead, and it is tried again: unknown component b; the configuration that worked before was refused: unknown component a"
    > config-prepared digest-local
      start-collector #1 digest-local (configuration B does not run)
      tell applied B; unhealthy "the Collector is starting""
  `);
});

test("without anything that can run, local files are composed again after a while", async () => {
  const story = new Story();
  await story.post({ is: "server-connected" });
  await story.refused("local.yaml: broken");
  await story.advance(30_000);
  await story.prepared();
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config local (the supervisor has started)
      tell unset; unhealthy "the configuration is being prepared"
    > server-connected
    > config-refused: local.yaml: broken
      tell unset; unhealthy "no configuration can run: local.yaml: broken"
      prepare-config local (the one before was refused)
    > config-prepared digest-local
      start-collector #1 digest-local (the local configuration is wanted)
      tell unset; unhealthy "the Collector is starting""
  `);
});

test("an offer that cannot be saved is not tried; what runs goes on and crashes are restarted", async () => {
  let error: string | null = null;
  const story = new Story({ saveError: () => error });
  await story.up();
  story.read();
  error = "no space left on device";
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  error = null;
  await story.advance(5_000);
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B
      save fails: no space left on device
      tell failed B "cannot store the configuration, so it was not tried: no space left on device; free or repair the storage directory"; healthy
    > collector-exited #1 code 1
      start-collector #2 digest-local (the Collector ended unasked)
      tell failed B "cannot store the configuration, so it was not tried: no space left on device; free or repair the storage directory"; unhealthy "the Collector is being restarted: the Collector exited with code 1"
    > collector-started #2
    > collector-health #2 healthy
      tell failed B "cannot store the configuration, so it was not tried: no space left on device; free or repair the storage directory"; healthy
      save status failed B, received B, working none"
  `);
});

/** There is room on the disk for all but another configuration. */
function scarce(story: () => Story): (memory: Memory) => string | null {
  return ({ lastReceived }) => (lastReceived?.hash === story().saves.at(-1)?.lastReceived?.hash ? null : "no space left on device");
}

test("an offer that there is no room for does not keep the rest from being saved", async () => {
  let isScarce = false;
  const story: Story = new Story({ saveError: (memory) => (isScarce ? scarce(() => story)(memory) : null) });
  await story.up();
  await story.swap("A");
  await story.health("healthy");
  isScarce = true;
  await story.post({ is: "remote-config-offered", config: offerOf("huge") });
  expect(story.reports.at(-1)).toMatchObject({ remoteConfig: { status: { is: "failed", hash: "huge" } }, health: { storageError: "no space left on device" } });
  await story.advance(70_000);
  expect(story.saves.at(-1)).toMatchObject({ lastReceived: { hash: "A" }, lastWorking: { hash: "A" }, status: { is: "applied", hash: "A" }, proven: { digest: "digest-A" }, trials: [] });
  expect(story.reports.at(-1)?.remoteConfig.status).toMatchObject({ is: "failed", hash: "huge" });
  // With the next life nobody knows of it; a server that still wants it offers it again.
  const next = new Story({ memory: story.saves.at(-1) as Memory });
  await next.up();
  expect(next.reports.at(-1)).toMatchObject({ remoteConfig: { status: { is: "applied", hash: "A" } }, health: { healthy: true } });

  isScarce = false;
  await story.advance(40_000);
  await story.prepared();
  expect(story.saves.at(-1)).toMatchObject({ lastReceived: { hash: "huge" }, status: { is: "applying", hash: "huge" } });
});

test("an offer that fails at once, and cannot be stored either, is answered all the same", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, remembered: null, saveError: () => error });
  await story.post({ is: "server-connected" });
  await story.post({ is: "executable-not-described", error: "no such file" });
  error = "no space left on device";
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  expect(story.reports.at(-1)?.remoteConfig.status).toMatchObject({ is: "failed", hash: "B", error: expect.stringContaining("cannot be described: no such file") as string });
});

test("what fails its probation while there is no room for a newer offer is not forgotten over a death", async () => {
  const story: Story = new Story({ memory: GOOD_A, saveError: (memory) => (story.state.offers.lastReceived?.hash === "huge" ? scarce(() => story)(memory) : null) });
  await story.up();
  await story.swap("B");
  await story.health("healthy");
  await story.post({ is: "remote-config-offered", config: offerOf("huge") });
  for (let crash = 0; crash < 3; crash++) {
    await story.exited({ code: 1 });
    await story.advance(3_000);
    await story.started();
  }
  await story.advance(5_000);
  expect(story.saves.at(-1)).toMatchObject({ lastReceived: { hash: "B" }, lastWorking: { hash: "A" }, status: { is: "failed", hash: "B", error: expect.stringContaining("crash number 3 during probation") as string } });
  const next = new Story({ memory: story.saves.at(-1) as Memory });
  await next.up();
  expect(next.state.process).toMatchObject({ is: "healthy", run: { build: { remote: { hash: "A" } } } });
});

test("an APPLIED that could not be saved is told only once it is on disk", async () => {
  let error: string | null = null;
  const story = new Story({ saveError: () => error });
  await story.up();
  await story.swap("A");
  story.read();
  error = "no space left on device";
  await story.health("healthy");
  error = null;
  await story.advance(5_000);
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-health #2 healthy
      save fails: no space left on device
      tell applying A; healthy
      save status applied A, received A, working none, on trial A
      tell applied A; healthy"
  `);
});

test("a new identity is saved, told, and the configuration is composed for it", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.post({ is: "identity-assigned", instanceUid: "01900000-0000-7000-8000-00000000000f" });
  await story.prepared({ digest: "digest-local-f" });
  await story.exited();
  expect(story.read()).toMatchInlineSnapshot(`
    "> identity-assigned
      prepare-config local as it was proven digest-local (the server assigned a new instance uid)
    > config-prepared digest-local-f
      stop-collector #1 next digest-local-f (the local configuration is wanted)
      tell unset; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-local-f (the local configuration is wanted)
      tell unset; unhealthy "the Collector is starting""
  `);
  expect(story.saves.at(-1)?.instanceUid).toBe("01900000-0000-7000-8000-00000000000f");
});

test("an executable that cannot be described is reported and asked again", async () => {
  const story = new Story({ remembered: null });
  await story.post({ is: "executable-not-described", error: "otelcol prints no version" });
  await story.advance(10_000);
  await story.post({ is: "executable-described", facts: testFacts });
  expect(story.read()).toMatchInlineSnapshot(`
    "  describe-executable (nothing is known of this executable)
    > executable-not-described
      tell unset; unhealthy "otelcol prints no version"
      describe-executable (it could not be described before)
    > executable-described
      prepare-config local (the supervisor has started)
      tell unset; unhealthy "the configuration is being prepared""
  `);
});
