/** Offers that come faster than they can be applied: the first acts at once, the last one counts. */
import { expect, test } from "vitest";
import { offerOf, Story } from "../support/story.js";

test("thirty offers in a second start the Collector twice and end in one status, for the last", async () => {
  const story = new Story();
  await story.up();
  await swap(story);
  for (let i = 2; i <= 30; i++) {
    await story.advance(33);
    await story.post({ is: "remote-config-offered", config: offerOf(`offer-${i}`) });
  }
  const prepares = (): number => story.effects.filter((effect) => effect.do === "prepare-config").length;
  const before = prepares();
  await story.advance(149);
  expect(prepares(), "within the pause").toBe(before);
  await story.advance(1);
  expect(prepares(), "after it").toBe(before + 1);
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  const starts = story.effects.filter((effect) => effect.do === "start-collector");
  expect(starts.map((effect) => effect.run.build.prepared.digest)).toEqual(["digest-local", "digest-offer-1", "digest-offer-30"]);
  const finals = new Set(
    story.saves.filter((memory) => memory.status !== null && memory.status.is !== "applying").map((memory) => `${memory.status?.is} ${memory.status?.hash}`),
  );
  expect([...finals]).toEqual(["applied offer-1", "applied offer-30"]);
});

test("an endless stream of offers is still acted upon at least every two seconds", async () => {
  const story = new Story();
  await story.up();
  await swap(story);
  const preparedAt: number[] = [];
  let offers = 1;
  let known = story.effects.length;
  while (story.now < 12_000) {
    await story.post({ is: "remote-config-offered", config: offerOf(`offer-${++offers}`) });
    await story.advance(100);
    const fresh = story.effects.slice(known);
    known = story.effects.length;
    if (fresh.some((effect) => effect.do === "prepare-config")) {
      preparedAt.push(story.now);
      await story.prepared();
      await story.exited();
      await story.started();
      await story.health("healthy");
    }
  }
  const gaps = preparedAt.slice(1).map((at, index) => at - (preparedAt[index] ?? 0));
  expect(gaps.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2_200);
});

test("an offer that comes again while it is being prepared, after another one, is not forgotten", async () => {
  const story = new Story();
  await story.up();
  for (const name of ["A", "B", "A"]) await story.post({ is: "remote-config-offered", config: offerOf(name) });
  await story.refused("unknown exporter");
  await story.advance(2_000);
  expect(story.effects.filter((effect) => effect.do === "prepare-config" && effect.source.is === "layers" && effect.source.remote?.hash === "A")).toHaveLength(2);
  await story.refused("unknown exporter");
  expect(story.state.offers.status).toMatchObject({ is: "failed", hash: "A" });
});

test("an offer that arrives while another one is on trial supersedes it: no final status for the first", async () => {
  const story = new Story();
  await story.up();
  await story.swap("A");
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.advance(150);
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B
      save status applying B, received B, working none, on trial B
      tell applying B; unhealthy "the Collector is starting"
      prepare-config B proven digest-local (configuration B was offered)
    > config-prepared digest-B
      stop-collector #2 next digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is being stopped"
    > collector-exited #2 code 0
      start-collector #3 digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > collector-started #3
    > collector-health #3 healthy
      save status applied B, received B, working none, on trial B
      tell applied B; healthy"
  `);
});

test("the superseded trial that turns out healthy becomes what is returned to", async () => {
  const story = new Story();
  await story.up();
  await story.swap("A");
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.health("healthy");
  story.read();
  await story.advance(150);
  await story.refused("broken");
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config B proven digest-local (configuration B was offered)
    > config-refused: broken
      save status failed B, received B, working none, on trial A
      tell failed B "broken"; healthy"
  `);
});

test("a known hash that is offered again is not tried, and its status is repeated at most once in a heartbeat", async () => {
  const story = new Story();
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.refused("broken");
  story.read();
  for (let i = 0; i < 61; i++) {
    await story.post({ is: "remote-config-offered", config: offerOf("B") });
    await story.advance(1_000);
  }
  expect(story.trace.filter((line) => line.startsWith("  tell")).length).toBe(3);
  expect(story.trace.filter((line) => /prepare|stop|start/.test(line))).toEqual([]);
});

async function swap(story: Story): Promise<void> {
  await story.swap("offer-1");
  await story.health("healthy");
}
