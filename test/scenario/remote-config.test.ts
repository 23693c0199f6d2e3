/** The course of one offer, told by the trace of the loop. */
import { expect, test } from "vitest";
import { offerOf, Story } from "../support/story.js";

test("nothing received yet: the local configuration runs and no status is told", async () => {
  const story = new Story();
  await story.up();
  expect(story.read()).toMatchInlineSnapshot(`
    "  prepare-config local (the supervisor has started)
      tell unset; unhealthy "the configuration is being prepared"
    > server-connected
    > config-prepared digest-local
      start-collector #1 digest-local (the local configuration is wanted)
      tell unset; unhealthy "the Collector is starting"
    > collector-started #1
    > collector-health #1 healthy
      tell unset; healthy"
  `);
});

test("an offer is saved, told as applying, prepared, swapped and applied as soon as it is healthy", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.swap("A");
  await story.health("starting");
  await story.health("healthy");
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered A
      save status applying A, received A, working none, on trial A
      prepare-config A proven digest-local (configuration A was offered)
      tell applying A; healthy
    > config-prepared digest-A
      stop-collector #1 next digest-A (configuration A was offered)
      tell applying A; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-A (configuration A was offered)
      tell applying A; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-health #2 starting
    > collector-health #2 healthy
      save status applied A, received A, working none, on trial A
      tell applied A; healthy"
  `);
});

test("a refused offer leaves the running Collector untouched", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.refused("unknown exporter");
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B
      save status applying B, received B, working none, on trial B
      prepare-config B proven digest-local (configuration B was offered)
      tell applying B; healthy
    > config-refused: unknown exporter
      save status failed B, received B, working none
      tell failed B "unknown exporter"; healthy"
  `);
});

test("a crash on trial fails the offer and what worked runs again", async () => {
  const story = new Story();
  await story.up();
  await story.swap("A");
  await story.health("healthy");
  await story.advance(5_000);
  story.read();
  await story.swap("B");
  await story.exited({ code: 1, tail: "bind: address already in use" });
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
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead
    Collector log tail:
    bind: address already in use"; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy
    Collector log tail:
    bind: address already in use"
    > collector-started #4
    > collector-health #4 healthy
      tell failed B "the Collector exited with code 1 before it was healthy; configuration A, which worked before, runs instead
    Collector log tail:
    bind: address already in use"; healthy"
  `);
});

test("an offer that is never healthy fails at the apply timeout", async () => {
  const story = new Story({ policy: { applyTimeoutMs: 5_000 } });
  await story.up();
  story.read();
  await story.swap("B");
  await story.health("unhealthy", "receiver otlp: no route");
  await story.advance(5_000);
  await story.exited();
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered B
      save status applying B, received B, working none, on trial B
      prepare-config B proven digest-local (configuration B was offered)
      tell applying B; healthy
    > config-prepared digest-B
      stop-collector #1 next digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      start-collector #2 digest-B (configuration B was offered)
      tell applying B; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-health #2 unhealthy
      tell applying B; unhealthy "receiver otlp: no route"
      save status failed B, received B, working none
      stop-collector #2 next digest-local (configuration B failed)
      tell failed B "the Collector did not become healthy within 5 s (agent.config_apply_timeout): receiver otlp: no route; the local configuration runs instead"; unhealthy "the Collector is being stopped"
    > collector-exited #2 code 0
      start-collector #3 digest-local (configuration B failed)
      tell failed B "the Collector did not become healthy within 5 s (agent.config_apply_timeout): receiver otlp: no route; the local configuration runs instead"; unhealthy "the Collector is starting""
  `);
});

test("the same content under another hash is applied without touching the process", async () => {
  const story = new Story();
  await story.up();
  await story.swap("A");
  await story.health("healthy");
  await story.advance(5_000);
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("A", "A2") });
  await story.prepared();
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered A2
      save status applying A2, received A2, working none, on trial A2
      prepare-config A2 proven digest-local (configuration A2 was offered)
      tell applying A2; healthy
    > config-prepared digest-A
      save status applied A2, received A2, working none, on trial A2
      tell applied A2; healthy"
  `);
});

test("a configuration with nothing to run stops the Collector and is applied", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("empty") });
  await story.prepared({ runs: false });
  await story.exited();
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered empty
      save status applying empty, received empty, working none, on trial empty
      prepare-config empty proven digest-local (configuration empty was offered)
      tell applying empty; healthy
    > config-prepared digest-empty
      stop-collector #1 next nothing (the configuration has nothing to run)
      tell applying empty; unhealthy "the Collector is being stopped"
    > collector-exited #1 code 0
      save status applied empty, received empty, working empty
      tell applied empty; healthy "not running: the configuration has nothing to run""
  `);
});

test("what failed for want of the executable may be offered again, what failed by itself may not", async () => {
  const story = new Story();
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  await story.refused("/otelcol: no such file", { isBlameless: true });
  await story.advance(10_000);
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  expect(story.trace.filter((line) => line.includes("prepare"))).toEqual([]);
  await story.advance(20_000);
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  expect(story.trace.filter((line) => line.includes("prepare")).length).toBe(1);
  await story.refused("unknown exporter");
  await story.advance(60_000);
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  expect(story.trace.filter((line) => line.includes("prepare"))).toEqual([]);
});
