import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentSummary } from "../../../examples/server/agent-view.js";
import { uidBytes, uidText } from "../../../examples/server/instance-uid.js";
import { systemClock, type Clock } from "../../../src/lib/clock.js";
import { ServerToAgentSchema } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { oneFile, startTestServer, type TestServer } from "../../support/opamp-server.js";
import { CAPABILITIES, firstMessage, httpAgent, UID, webSocketAgent } from "./scripted-agent.js";

const OTHER = "01900000-0000-7000-8000-00000000000b";

let aheadMs = 0;
/** The real timers with a wall clock that a test can put forward. */
const clock: Clock = { ...systemClock, unixNano: () => systemClock.unixNano() + BigInt(aheadMs) * 1_000_000n };
let server: TestServer;
beforeEach(async () => {
  aheadMs = 0;
  server = await startTestServer({ clock, heartbeatMs: 30_000 });
});
afterEach(() => server.close());

const summary = () => agentSummary(server.fleet.agent(UID), server.fleet);

describe("an agent is kept after it left", () => {
  it("with the reason when it said goodbye", async () => {
    const agent = await webSocketAgent(server);
    await agent.ask(firstMessage());
    expect(summary()).toMatchObject({ liveness: "up", up: true, why: "", name: "otelcol", version: "1.2.3", host: "box" });
    await agent.ask({ agentDisconnect: {} });
    expect(summary()).toMatchObject({ liveness: "gone", up: false, why: "gone: it said goodbye (agent_disconnect)" });
  });

  it("with the close code when its connection ended", async () => {
    const agent = await webSocketAgent(server);
    await agent.ask(firstMessage());
    agent.socket.close(1001, "bye");
    await server.until(() => server.fleet.agent(UID).gone, "the agent to be gone");
    expect(summary().why).toBe("gone: its connection closed (code 1001: bye)");
    const back = await webSocketAgent(server);
    await back.ask(firstMessage());
    expect(summary()).toMatchObject({ liveness: "up", up: true });
  });

  it("over plain HTTP, where a response ends nothing", async () => {
    const agent = httpAgent(server);
    await agent.ask(firstMessage());
    expect(summary().liveness).toBe("up");
    await agent.ask({ agentDisconnect: {} });
    expect(summary().liveness).toBe("gone");
  });
});

it.each([
  [CAPABILITIES, "stale"],
  // Without ReportsHeartbeat, silence says nothing.
  [CAPABILITIES & ~0x2000n, "up"],
])("three missed heartbeats: with capabilities %s it is %s", async (capabilities, liveness) => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage({ capabilities }));
  aheadMs = 89_000;
  expect(summary().liveness).toBe("up");
  aheadMs = 91_000;
  expect(summary().liveness).toBe(liveness);
  await agent.ask({});
  expect(summary().liveness).toBe("up");
});

it("over plain HTTP a long silence means gone", async () => {
  await httpAgent(server).ask(firstMessage());
  aheadMs = 601_000;
  server.fleet.noticeSilence();
  expect(summary()).toMatchObject({ liveness: "gone", why: "gone: no message for 20 heartbeats" });
});

it("a dead connection is found by ping", async () => {
  await server.close();
  server = await startTestServer({ pingMs: 20 });
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  agent.socket.pause();
  await server.until(() => server.fleet.agent(UID).gone, "the dead connection to be cut");
});

describe("an agent that is not up says why", () => {
  it.each([
    [{ health: { healthy: false, lastError: "port in use" } }, { up: false, why: "port in use" }],
    [{ health: { healthy: false, status: "StatusStarting" } }, { up: false, why: "StatusStarting" }],
    [{ health: undefined }, { up: null, why: "the agent has not reported its health" }],
  ])("%j", async (said, expected) => {
    await (await webSocketAgent(server)).ask(firstMessage(said));
    expect(summary()).toMatchObject(expected);
  });
});

describe("two connections with one uid", () => {
  it("the newest has the seat, and closing the older one changes nothing", async () => {
    const older = await webSocketAgent(server);
    await older.ask(firstMessage());
    const newer = await webSocketAgent(server);
    await newer.ask(firstMessage());
    await older.close();
    await newer.ask({});
    expect(summary().liveness).toBe("up");
    await server.fleet.saveConfig(UID, oneFile("x:\n"));
    expect((await newer.hear()).remoteConfig).toBeDefined();
    expect(server.agent().notes.map((note) => note.text)).toEqual(["a second connection took over while the first was still open"]);
  });

  it("an older one that still speaks is another agent: it is told to take a new uid, and its words are not believed", async () => {
    const older = await webSocketAgent(server);
    await older.ask(firstMessage());
    const newer = await webSocketAgent(server);
    await newer.ask(firstMessage());
    const answer = await older.ask({ health: { healthy: false } });
    const given = uidText(answer.agentIdentification?.newInstanceUid ?? new Uint8Array());
    expect(given).not.toBe(UID);
    expect(summary().up).toBe(true);
    await older.ask(firstMessage({ instanceUid: uidBytes(given ?? "") }));
    expect(server.fleet.agents().map((agent) => [agent.uid, agent.gone])).toEqual([
      [UID, null],
      [given, null],
    ]);
  });

  it("an older one may come back once the newer one is gone", async () => {
    const older = await webSocketAgent(server);
    await older.ask(firstMessage());
    const newer = await webSocketAgent(server);
    await newer.ask(firstMessage());
    await newer.close();
    await server.until(() => server.fleet.agent(UID).gone, "the newer one to be gone");
    expect((await older.ask(firstMessage())).agentIdentification).toBeUndefined();
    expect(summary().liveness).toBe("up");
  });
});

it.each(["WebSocket", "HTTP"])("a new identity over %s takes the configuration along", async (transport) => {
  const agent = transport === "HTTP" ? httpAgent(server) : await webSocketAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("mine:\n"));
  if (transport === "WebSocket") await agent.hear();
  server.fleet.giveNewIdentity(UID, OTHER);
  const { agentIdentification } = transport === "HTTP" ? await agent.ask({}) : await agent.hear();
  expect(agentIdentification?.newInstanceUid).toEqual(uidBytes(OTHER));
  const answer = await agent.ask({ ...firstMessage(), instanceUid: uidBytes(OTHER), sequenceNum: 9n });
  expect(server.agent().uid).toBe(OTHER);
  expect(server.fleet.agent(UID).gone?.why).toBe(`it took the identity ${OTHER}`);
  const offered = answer.remoteConfig ?? server.agent().offer?.config;
  expect(offered).toBeDefined();
});

it.each(["WebSocket", "HTTP"])("a restart command over %s stands alone", async (transport) => {
  const agent = transport === "HTTP" ? httpAgent(server) : await webSocketAgent(server);
  await agent.ask(firstMessage());
  server.fleet.restart(UID);
  const answer = transport === "HTTP" ? await agent.ask({}) : await agent.hear();
  expect(answer.command).toBeDefined();
  const alone = create(ServerToAgentSchema, { instanceUid: uidBytes(UID), capabilities: answer.capabilities, command: {} });
  expect(answer).toEqual(alone);
  expect((await agent.ask({})).command).toBeUndefined();
});

it("an agent that does not take restarts is refused by name", async () => {
  await (await webSocketAgent(server)).ask(firstMessage({ capabilities: 0x1n }));
  expect(() => server.fleet.restart(UID)).toThrow("AcceptsRestartCommand is not among its capabilities");
});
