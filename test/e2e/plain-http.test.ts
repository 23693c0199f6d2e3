/** The whole story over plain HTTP, where the server can only answer: each request of the supervisor carries news of its own. */
import { expect, test } from "vitest";
import { configHash } from "../../examples/server/remote-config.js";
import { oneFile } from "../support/opamp-server.js";
import { nopPipeline } from "./support/configs.js";
import { setStage } from "./support/stage.js";

test("the agent shows up, takes a configuration, refuses another, and says goodbye", async () => {
  const stage = await setStage({ transport: "http" });
  const { server } = stage;
  // The first offer goes with the answer to an early request, the second one with the answer to APPLIED.
  const bodies = [nopPipeline("good"), "receivers: {no_such_receiver: }\n"];
  const sent: string[] = [];
  const stop = server.fleet.on(() => {
    const { hash, is } = stage.agent.status;
    const mayTake = server.fleet.find(stage.agent.uid)?.description != null;
    const body = bodies[sent.length];
    if (!mayTake || body === undefined || (sent.length > 0 && (is !== "applied" || hash !== sent.at(-1)))) return;
    const files = oneFile(body);
    sent.push(Buffer.from(configHash(files)).toString("hex"));
    void server.fleet.saveConfig(stage.agent.uid, files);
  });
  const supervisor = await stage.up();
  await stage.until("both outcomes", () => sent.length === 2 && sent.every((hash) => stage.agent.courseOf(hash).length === 2), 15_000);
  stop();
  expect(stage.agent.courseOf(sent[0] ?? "")).toEqual(["applying", "applied"]);
  expect(stage.agent.courseOf(sent[1] ?? "")).toEqual(["applying", "failed"]);
  expect(stage.agent.status.error).toContain('unknown type: "no_such_receiver"');
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/good");
  expect(server.requests.every(({ method }) => method === "POST")).toBe(true);
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
  expect(stage.agent.messages.at(-1)?.agentDisconnect).toBeDefined();
});
