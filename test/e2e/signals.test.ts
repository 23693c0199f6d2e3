/** What the signals do, to the supervisor and to its Collector. */
import { expect, test, vi } from "vitest";
import { faulty } from "./support/configs.js";
import { setStage } from "./support/stage.js";

test.each(["SIGTERM", "SIGINT"] as const)("%s ends the Collector first, says goodbye last, and is exit code 0", async (signal) => {
  const stage = await setStage();
  const supervisor = await stage.up();
  expect(await supervisor.end(signal)).toEqual({ code: 0, signal: null });
  expect(await stage.host.collectors()).toEqual([]);
  await stage.until("the goodbye", () => stage.agent.disconnected);
  expect(stage.agent.messages.filter(({ agentDisconnect }) => agentDisconnect !== undefined)).toHaveLength(1);
  expect(stage.agent.messages.at(-1)?.agentDisconnect).toBeDefined();
  expect(supervisor.log.map(({ msg }) => msg).slice(-3)).toEqual(["Collector stops", "Collector is stopped", "Supervisor stopped"]);
  expect(supervisor.said("Collector stops")[0]).toMatchObject({ because: `received ${signal}` });
  expect(await stage.host.read("storage/agent.log")).toContain("Shutdown complete.");
});

test("SIGHUP kills nothing", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  const pid = await stage.collector();
  supervisor.signal("SIGHUP");
  await supervisor.logs("Another try was asked for");
  expect(supervisor.isRunning).toBe(true);
  expect(await stage.collector()).toBe(pid);
});

test("a second signal ends a Collector that ignores the first one, at once", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  await stage.apply(faulty("deaf", { ignore_sigterm: true }));
  supervisor.signal("SIGTERM");
  await supervisor.logs("Collector stops", 2);
  expect(await stage.host.collectors()).toHaveLength(1);
  expect(await supervisor.end("SIGTERM")).toEqual({ code: 0, signal: null });
  // The kernel needs a moment to take it away.
  await vi.waitFor(async () => expect(await stage.host.collectors()).toEqual([]));
});

test("a signal in the middle of the start stops it", async () => {
  const stage = await setStage();
  const supervisor = stage.host.start();
  await supervisor.logs("Supervisor starting");
  expect(await supervisor.end("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(await stage.host.collectors()).toEqual([]);
});
