/** What happens to the process when configurations and commands arrive. */
import { expect, test } from "vitest";
import { faulty, nopPipeline } from "./support/configs.js";
import { provenStage } from "./support/proven.js";
import { setStage } from "./support/stage.js";

test("the agent is known before any configuration was sent, and the first message is complete", async () => {
  const stage = await setStage();
  await stage.up();
  const [first] = stage.agent.messages;
  expect(first?.sequenceNum).toBe(0n);
  expect(first?.agentDescription?.identifyingAttributes.map(({ key }) => key)).toContain("service.name");
  expect(first?.health).toBeDefined();
  expect(first?.remoteConfigStatus?.lastRemoteConfigHash).toHaveLength(0);
  expect(stage.agent.status.is).toBe("unset");
  expect(stage.agent.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(stage.agent.attributes.get("service.instance.id")).toBe(stage.agent.uid);
});

test("the same content under another hash is APPLIED, and the process is not touched", async () => {
  const stage = await setStage();
  await stage.up();
  await stage.apply(nopPipeline("good"));
  const pid = await stage.collector();
  const hash = await stage.send(nopPipeline("good"), Buffer.from("another hash"));
  expect(await stage.outcome(hash)).toMatchObject({ is: "applied", error: "" });
  expect(await stage.collector()).toBe(pid);
});

test("a burst of 30 configurations makes at most 2 starts, and the last one runs", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  const starts = supervisor.said("Collector starts").length;
  const sent: string[] = [];
  for (let number = 1; number <= 30; number++) sent.push(await stage.send(nopPipeline(`burst${number}`)));
  const last = sent.at(-1) ?? "";
  expect(await stage.outcome(last)).toMatchObject({ is: "applied" });
  await stage.until("the last one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/burst30"));
  expect(supervisor.said("Collector starts").length - starts).toBeLessThanOrEqual(2);
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/burst30");
  // The first acts at once and may have come to its end; what was superseded gets none, and the last exactly one.
  const finals = (hash: string): readonly string[] => stage.agent.courseOf(hash).filter((status) => status !== "applying");
  expect(finals(last)).toEqual(["applied"]);
  expect(sent.slice(0, -1).filter((hash) => finals(hash).length > 0).length).toBeLessThanOrEqual(supervisor.said("Collector starts").length - starts - 1);
});

test("an empty configuration stops the Collector, and the agent says so and is healthy", async () => {
  const stage = await setStage();
  await stage.up();
  await stage.apply(nopPipeline("good"));
  const hash = await stage.send("");
  expect(await stage.outcome(hash)).toMatchObject({ is: "applied" });
  await stage.until("its word", () => stage.agent.health?.startTimeUnixNano === 0n);
  expect(stage.agent.health?.healthy).toBe(true);
  expect(stage.agent.health?.status).toMatchInlineSnapshot(`"not running: the configuration has nothing to run"`);
  expect(await stage.host.collectors()).toEqual([]);

  await stage.apply(nopPipeline("again"));
  await stage.collector();
});

test("with use_hup_config_reload the process stays and runs the new configuration", async () => {
  const stage = await setStage({ sections: { agent: { use_hup_config_reload: true } } });
  await stage.up();
  const pid = await stage.collector();
  const hash = await stage.apply(nopPipeline("reloaded"));
  await stage.until("the reloaded one", () => stage.agent.effectiveConfig.includes("nop/reloaded"));
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "applied"]);
  expect(await stage.collector()).toBe(pid);
});

test.each([
  ["ends the Collector", { die_after: "0s", die_code: 3 }, /^the Collector exited with code 3/],
  ["leaves it without a word", { never_connect: true }, /^the Collector did not become healthy within 2 s/],
  ["makes it ill", { unhealthy_after: "0s" }, /^the Collector (did not become|was not) healthy (within|for) 2 s/],
])("a reload that %s is followed by what worked before", async (_, faults, cause) => {
  const { stage } = await provenStage({ agent: { use_hup_config_reload: true, config_apply_timeout: "2s" } });
  const hash = await stage.send(faulty("bad", faults));
  const failed = await stage.until("FAILED", () => stage.agent.statuses.find((status) => status.hash === hash && status.is === "failed"));
  expect(failed.error).toMatch(cause);
  await stage.until("the good one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  await stage.collector();
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/good");
});

test("a restart command replaces the process", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  const pid = await stage.collector();
  stage.server.fleet.restart(stage.agent.uid);
  await supervisor.logs("Collector is healthy", 2);
  expect(await stage.collector()).not.toBe(pid);
});

test("a new instance uid is taken, and kept", async () => {
  const stage = await setStage();
  const first = await stage.up();
  await stage.apply(nopPipeline("good"));
  const old = stage.agent.uid;
  stage.server.fleet.giveNewIdentity(old);
  await stage.until("the new identity", () => stage.agent.uid !== old);
  const fresh = stage.agent.uid;
  await stage.until("the Collector's own word", () => stage.agent.attributes.get("service.instance.id") === fresh);
  expect(await stage.host.read("storage/persistent_state.yaml")).toContain(fresh);
  await first.end();
  const second = await stage.up();
  expect(second.said("Supervisor starting")[0]).toMatchObject({ id: fresh });
  expect(stage.agent.uids).toEqual([old, fresh]);
  expect(stage.agent.attributes.get("service.instance.id")).toBe(fresh);
});
