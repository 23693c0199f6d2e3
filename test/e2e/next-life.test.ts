/** What a supervisor knows when it starts again, after an orderly end and after a sudden one. */
import { stat } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { faulty, nopPipeline } from "./support/configs.js";
import { standIn } from "./support/host.js";
import { setStage, type Stage } from "./support/stage.js";

test("identity, status and configuration outlive a restart", async () => {
  const stage = await setStage();
  const first = await stage.up();
  const hash = await stage.apply(nopPipeline("good"));
  const { uid } = stage.agent;
  await first.end();

  const before = stage.agent.messages.length;
  const second = await stage.up();
  const [message] = stage.agent.messages.slice(before);
  expect(message?.sequenceNum).toBe(0n);
  expect(Buffer.from(message?.remoteConfigStatus?.lastRemoteConfigHash ?? []).toString("hex")).toBe(hash);
  expect(stage.agent.status).toMatchObject({ is: "applied", hash });
  expect(stage.agent.uids).toEqual([uid]);
  expect(second.said("Supervisor starting")[0]).toMatchObject({ id: uid });
  await stage.until("the effective configuration", () => stage.agent.effectiveConfig.includes("nop/good"));
  expect(second.said("Collector starts")).toHaveLength(1);
});

test("FAILED is told again after a restart, the failed one is not tried again, and what worked runs", async () => {
  const stage = await setStage();
  const first = await stage.up();
  const good = await stage.apply(nopPipeline("good"));
  const hash = await stage.send(faulty("crash", { die_after: "0s" }));
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  await stage.until("the good one again", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  await first.end();

  const before = stage.agent.messages.length;
  await stage.up();
  const [message] = stage.agent.messages.slice(before);
  expect(message?.remoteConfigStatus?.errorMessage).toBe(error);
  expect(stage.agent.status).toEqual({ is: "failed", hash, error });
  expect(error).toContain(`configuration ${good.slice(0, 12)}`);
  await stage.until("the effective configuration", () => stage.agent.effectiveConfig.includes("nop/good"));
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "failed"]);
});

test.each([
  ["what was good", "0s"],
  ["what was on probation", "60s"],
])("a supervisor killed in the middle of a trial ends it in its next life, and %s runs again", async (_, probation) => {
  const stage = await setStage({ sections: { agent: { config_apply_timeout: "1500ms", config_probation: probation } } });
  const first = await stage.up();
  await stage.apply(nopPipeline("good"));
  const hash = await stage.send(faulty("hang", { hang_on_start: true }));
  await first.logs("Collector starts", 3);
  await first.end("SIGKILL");

  const second = stage.host.start();
  await second.logs("Remote configuration failed");
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  const why = "the Collector did not become healthy within 1.5 s (agent.config_apply_timeout)";
  expect(error.replace(/[0-9a-f]{12}/, "HASH")).toBe(`${why}; configuration HASH, which worked before, runs instead`);
  await stage.until("the good one again", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  expect(stage.agent.courseOf(hash).filter((is) => is !== "applying")).toEqual(["failed"]);
  await stage.collector();
});

test("the Collector that a killed supervisor left behind is ended, and one runs", async () => {
  const stage = await setStage();
  // With setpriv the kernel would end it: this one clears that, as on a host without setpriv.
  await stage.host.write("survivor", survivor(), 0o755);
  await stage.settings({ agent: { executable: "./survivor" } });
  const first = await stage.up();
  const hash = await stage.apply(nopPipeline("good"));
  const leftover = await stage.collector();
  expect(await first.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  expect(await stage.host.collectors()).toEqual([leftover]);

  const second = await stage.up();
  expect(second.said("Ending a Collector that an earlier supervisor left behind")).toMatchObject([{ level: "warn", pid: leftover }]);
  expect(await stage.collector()).not.toBe(leftover);
  expect(stage.agent.status).toMatchObject({ is: "applied", hash });
});

test("a crash is followed by one start of the same bytes, and writes nothing", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  const before = await effective(stage);
  const text = await stage.host.read("storage/effective.yaml");
  // Nothing in it belongs to one start: the port, the secret and the parent come from the environment.
  expect(text).toContain("${env:OPAMPSUPERVISOR_EXTENSION_PORT}");
  expect(text).toContain("${env:OPAMPSUPERVISOR_EXTENSION_SECRET}");
  expect(text).not.toContain(String(supervisor.pid));

  const pid = await stage.collector();
  process.kill(pid, "SIGKILL");
  const ended = await supervisor.logs("Collector ended unasked");
  expect(String(ended["because"])).toMatch(/^the Collector was killed by SIGKILL\nCollector log tail:\n/);
  await stage.until("health again", () => stage.agent.healthy);
  await vi.waitFor(async () => expect(await stage.collector()).not.toBe(pid));
  expect(await effective(stage)).toEqual(before);
  expect(await stage.host.read("storage/effective.yaml")).toBe(text);
});

async function effective(stage: Stage): Promise<{ ino: number; mtimeMs: number; size: number }> {
  const { ino, mtimeMs, size } = await stat(`${stage.host.storage}/effective.yaml`);
  return { ino, mtimeMs, size };
}

function survivor(): string {
  return `#!/bin/sh
if setpriv --pdeathsig clear -- true 2>/dev/null; then exec setpriv --pdeathsig clear -- '${standIn()}' "$@"; fi
exec '${standIn()}' "$@"
`;
}
