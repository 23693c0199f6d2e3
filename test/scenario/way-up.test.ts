/** Nothing better than what runs is forgotten on the way: pauses end, steps that were passed over come again, probations have a clock. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, Story } from "../support/story.js";


async function crashes(story: Story, count: number): Promise<void> {
  for (let crash = 0; crash < count; crash++) await story.crash();
}

test("a new configuration ends the hold at once", async () => {
  const story = new Story();
  await story.post({ is: "server-connected" });
  await story.prepared();
  await crashes(story, 10);
  await story.prepared();
  expect(story.reports.at(-1)?.health.process).toBe("held");
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  story.read();
  await story.prepared();
  expect(story.read()).toContain("start-collector #11 digest-B");
});

test("the first connection ends the hold of a startup fallback at once", async () => {
  const story = new Story({ policy: { hasStartupFallback: true } });
  await story.advance(500);
  await story.prepared();
  await crashes(story, 5);
  await story.refused("local.yaml: broken");
  await story.post({ is: "server-connected" });
  story.read();
  await story.prepared();
  expect(story.read()).toContain("digest-local");
  expect(story.state.process.is).toBe("starting");
});

test("after a try in vain the way down begins again at its top: what was passed over may run by now", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.post({ is: "server-connected" });
  await story.refused("local.yaml: unknown component");
  await story.prepared();
  await crashes(story, 5);
  await story.prepared();
  await story.started();
  await story.health("healthy");
  expect(story.state.standIn?.from).toBe("local");
  await story.advance(60_000);
  await story.refused("local.yaml: unknown component");
  await story.prepared();
  expect(story.state.standIn?.from).toBe("as-proven");
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { text: "A" } } } });
});

test("what could not be started for a while, and then stays silent, has a clock again", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.swap("B");
  await story.health("healthy");
  await story.exited({ code: 1 });
  await story.post({ is: "collector-not-started", attempt: story.state.attempt, error: "no such file" });
  while (story.state.process.is === "down") await story.advance(100);
  await story.started();
  await story.advance(30_000);
  expect(story.reports.at(-1)?.remoteConfig.status).toMatchObject({ is: "failed", hash: "B" });
  expect(story.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
});

test("changed local files with which the Collector stays silent give way to the kept text", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.post({ is: "server-connected" });
  await story.prepared({ digest: "digest-A-and-new-files" });
  await story.started();
  await story.advance(30_000);
  await story.prepared();
  expect(story.state.wanted).toMatchObject({ run: { build: { prepared: { digest: "digest-A", text: "A" } } } });
});

test("the same content under ever new hashes goes on with its probation", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.swap("B");
  await story.health("healthy");
  for (const hash of ["B2", "B3"]) {
    await story.advance(25_000);
    await story.post({ is: "remote-config-offered", config: offerOf("B", hash) });
    await story.prepared();
  }
  await story.advance(10_000);
  expect(story.saves.at(-1)).toMatchObject({ status: { is: "applied", hash: "B3" }, lastWorking: { hash: "B3" } });
});

test("a trial that succeeded after deaths of the supervisor does not count them against the next one", async () => {
  const memory = { ...GOOD_A, lastReceived: offerOf("B"), status: { is: "applying", hash: "B", error: "" } as const, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 2 }] };
  const story = new Story({ memory });
  await story.post({ is: "server-connected" });
  await story.prepared();
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  await story.advance(60_000);
  await story.post({ is: "remote-config-offered", config: offerOf("C") });
  await story.refused("no");
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "B", lives: 1 }]);
});

test("without going back, what ran while a newer one was refused runs again in the next life", async () => {
  const policy = { rollsBack: false, probationMs: 0 };
  const story = new Story({ policy });
  await story.up();
  await story.swap("A");
  await story.health("healthy");
  await story.advance(2_000);
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.refused("no such component");
  const next = new Story({ policy, memory: story.saves.at(-1) ?? {} });
  await next.up();
  expect(next.state.wanted).toMatchObject({ run: { build: { remote: { hash: "A" } } } });
  expect(next.reports.at(-1)?.remoteConfig.status).toMatchObject({ is: "failed", hash: "B" });
});
