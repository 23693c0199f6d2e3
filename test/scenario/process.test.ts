/** The Collector's process: crashes, pacing, restart command, reload, late news, shutdown. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, Story } from "../support/story.js";

test("after a crash the first restart is immediate, then the pauses grow, and at last it is held", async () => {
  const story = new Story();
  await story.up();
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const downAt = story.now;
    await story.exited({ signal: "SIGKILL" });
    while (story.state.process.is === "down") await story.advance(100);
    pauses.push(story.now - downAt);
    await story.started();
  }
  expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 300_000]);
});

test("a clean exit that nobody asked for is a crash like any other", async () => {
  const story = new Story();
  await story.up();
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const downAt = story.now;
    await story.exited({ code: 0 });
    if (i === 0) expect(story.reports.at(-1)?.health.lastError).toBe("the Collector is being restarted: the Collector exited with code 0, which nobody asked for,");
    while (story.state.process.is === "down") await story.advance(100);
    pauses.push(story.now - downAt);
    await story.started();
  }
  expect(pauses.slice(0, 4)).toEqual([0, 1_000, 2_000, 4_000]);
  expect(pauses.at(-1)).toBe(300_000);
});

test.each([
  ["Error: failed to get config: cannot unmarshal the configuration", " over its configuration"],
  ["Error: invalid configuration: service::pipelines: must have one", " over its configuration"],
  ["Error: failed to build pipelines: failed to create exporter", " over its configuration"],
  ["Error: cannot start pipelines: listen tcp 127.0.0.1:4317: bind: address already in use", ""],
])("its end says whether it was over its configuration: %s", async (line, words) => {
  const story = new Story();
  await story.up();
  await story.exited({ code: 1, tail: `{"level":"info"}\n${line}` });
  expect(story.reports.at(-1)?.health.lastError.split("\n")[0]).toBe(`the Collector is being restarted: the Collector exited with code 1${words}`);
});

test.each([
  ["cgroup", "the Collector was killed by SIGKILL, for want of memory (the kernel counted it in the control group)"],
  ["host", "the Collector was killed by SIGKILL, probably for want of memory (the kernel ended a process of this host for that)"],
  ["none", "the Collector was killed by SIGKILL"],
] as const)("its end says what the kernel knows of memory: %s", async (memoryKill, words) => {
  const story = new Story();
  await story.up();
  await story.exited({ signal: "SIGKILL", memoryKill });
  expect(story.reports.at(-1)?.health.lastError).toBe(`the Collector is being restarted: ${words}`);
});

test("a long healthy run wipes out earlier crashes", async () => {
  const story = new Story();
  await story.up();
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  await story.advance(60_000);
  story.read();
  await story.exited({ code: 1 });
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-exited #2 code 1
      start-collector #3 digest-local (the Collector ended unasked)
      tell unset; unhealthy "the Collector is being restarted: the Collector exited with code 1""
  `);
});

test("a restart command is a new turn of the same run, and ends a pause after crashes", async () => {
  const story = new Story();
  await story.up();
  story.read();
  await story.post({ is: "restart-commanded" });
  await story.post({ is: "restart-commanded" });
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  await story.advance(900);
  await story.exited({ code: 1 });
  await story.advance(1_100);
  await story.exited({ code: 1 });
  await story.advance(500);
  await story.post({ is: "restart-commanded" });
  expect(story.read()).toMatchInlineSnapshot(`
    "> restart-commanded
      stop-collector #1 next digest-local (the server commanded a restart)
      tell unset; unhealthy "the Collector is being stopped"
    > restart-commanded
    > collector-exited #1 code 0
      start-collector #2 digest-local (the server commanded a restart)
      tell unset; unhealthy "the Collector is starting"
    > collector-started #2
    > collector-exited #2 code 1
      start-collector #3 digest-local (the Collector ended unasked)
      tell unset; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy"
    > collector-exited #3 code 1
      tell unset; unhealthy "the Collector exited with code 1 before it was healthy"
      start-collector #4 digest-local (the Collector ended unasked)
      tell unset; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy"
    > collector-exited #4 code 1
      tell unset; unhealthy "the Collector exited with code 1 before it was healthy"
    > restart-commanded
      start-collector #5 digest-local (the server commanded a restart)
      tell unset; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy""
  `);
});

test("news of an earlier process is not credited to the one that runs now", async () => {
  const story = new Story();
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  await story.prepared();
  await story.health("healthy", "", { attempt: 1 });
  await story.exited();
  await story.started();
  story.read();
  await story.health("healthy", "", { attempt: 1 });
  await story.exited({ attempt: 1 });
  expect(story.state.offers.status?.is).toBe("applying");
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-health #1 healthy
    > collector-exited #1 code 0"
  `);
});

test("a reload keeps the process, and only a link that is newer than the reload proves it", async () => {
  const story = new Story({ policy: { reloadsByHup: true } });
  await story.up();
  await story.post({ is: "collector-connected", attempt: 1, link: 1 });
  story.read();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  await story.prepared();
  await story.post({ is: "collector-reloaded", attempt: 1 });
  await story.health("healthy", "", { link: 1 });
  expect(story.state.offers.status?.is).toBe("applying");
  await story.post({ is: "collector-connected", attempt: 1, link: 2 });
  await story.health("healthy", "", { link: 2 });
  expect(story.read()).toMatchInlineSnapshot(`
    "> remote-config-offered A
      save status applying A, received A, working none, on trial A
      prepare-config A proven digest-local (configuration A was offered)
      tell applying A; healthy
    > config-prepared digest-A
      reload-collector #1 digest-A (configuration A was offered)
      tell applying A; unhealthy "the Collector is starting"
    > collector-reloaded #1
    > collector-health #1 healthy
    > collector-connected #1
    > collector-health #1 healthy
      save status applied A, received A, working none, on trial A
      tell applied A; healthy"
  `);
});

test("a reload that ends the process fails the offer and starts what worked before", async () => {
  const story = new Story({ policy: { reloadsByHup: true } });
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  await story.prepared();
  await story.post({ is: "collector-reloaded", attempt: 1 });
  story.read();
  await story.exited({ code: 1 });
  expect(story.read()).toMatchInlineSnapshot(`
    "> collector-exited #1 code 1
      save status failed A, received A, working none
      start-collector #2 digest-local (configuration A failed)
      tell failed A "the Collector exited with code 1 before it was healthy; the local configuration runs instead"; unhealthy "the Collector is being restarted: the Collector exited with code 1 before it was healthy""
  `);
});

test("after a freeze what happened meanwhile comes before what time alone would decide", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.swap("B");
  await story.health("healthy");
  await story.freeze(3_600_000);
  expect(story.state.offers.lastWorking).toMatchObject({ hash: "A" });
  await story.exited({ code: 1 });
  await story.advance(10_000);
  expect(story.saves.at(-1)).toMatchObject({ status: { is: "applied", hash: "B" }, lastWorking: { hash: "A" } });
  // Where nothing had happened, a second is all that it costs.
  await story.started();
  await story.health("healthy");
  await story.freeze(3_600_000);
  await story.advance(1_000);
  expect(story.state.offers.lastWorking).toMatchObject({ hash: "B" });
});

test("a Collector that ends while its reload is on its way is no proof against what it was to be reloaded with", async () => {
  const story = new Story({ memory: GOOD_A, policy: { reloadsByHup: true } });
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.prepared();
  expect(story.effects.at(-1)).toMatchObject({ do: "reload-collector" });
  await story.exited({ code: 1 });
  expect(story.effects.at(-1)).toMatchObject({ do: "start-collector", run: { build: { remote: { hash: "B" } } } });
  expect(story.state.offers.status).toEqual({ is: "applying", hash: "B", error: "" });
  await story.started();
  await story.health("healthy");
  expect(story.state.offers.status).toEqual({ is: "applied", hash: "B", error: "" });
});

test("shutdown stops the Collector first, whatever it is doing, and then finishes", async () => {
  const story = new Story();
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("A") });
  story.read();
  await story.post({ is: "shutdown-requested", because: "received SIGTERM" });
  await story.prepared();
  await story.exited();
  await story.finished();
  expect(story.read()).toMatchInlineSnapshot(`
    "> shutdown-requested
      save status applying A, received A, working none
      stop-collector #1 next nothing (received SIGTERM)
      tell applying A; unhealthy "the Collector is being stopped"
    > config-prepared digest-A
    > collector-exited #1 code 0
      finish (received SIGTERM)
      tell applying A; unhealthy "the supervisor is shut down: received SIGTERM""
  `);
});

test("a Collector whose extension stays silent is reported, and goes on running", async () => {
  const story = new Story();
  await story.post({ is: "server-connected" });
  await story.prepared();
  await story.started();
  story.read();
  await story.advance(3_000);
  expect(story.read()).toMatchInlineSnapshot(`"  tell unset; unhealthy "the Collector runs, but its opamp extension has not reported within agent.bootstrap_timeout; see agent.log in the storage directory""`);
});

test("restart commands at wire speed are one restart every two seconds", async () => {
  const story = new Story();
  await story.up();
  for (let i = 0; i < 100; i++) {
    await story.post({ is: "restart-commanded" });
    if (story.state.process.is === "stopping") await story.exited();
    if (story.state.process.is === "starting") {
      await story.started();
      await story.health("healthy");
    }
    await story.advance(100);
  }
  expect(story.state.attempt).toBe(6);
});

test("a new identity in each reply restarts the Collector at most every ten seconds, and the last one counts", async () => {
  const story = new Story();
  await story.up();
  for (let i = 0; i < 250; i++) {
    await story.post({ is: "identity-assigned", instanceUid: `uid-${i}` });
    if (story.state.base.preparing !== 0) await story.prepared();
    if (story.state.process.is === "stopping") await story.exited();
    await story.advance(100);
  }
  expect(story.state.attempt).toBeLessThanOrEqual(4);
  await story.advance(10_000);
  await story.prepared();
  expect(story.state.base.build?.instanceUid).toBe("uid-249");
});
