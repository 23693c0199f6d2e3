import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentView } from "../../../examples/server/agent-view.js";
import { configHash } from "../../../examples/server/remote-config.js";
import { RemoteConfigStatuses } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { oneFile, startTestServer, type TestServer } from "../../support/opamp-server.js";
import { CAPABILITIES, firstMessage, httpAgent, UID, webSocketAgent } from "./scripted-agent.js";

let directory: string;
let server: TestServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "opamp-server-"));
  server = await startTestServer({ dataDirectory: directory, tls: false });
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

const bodyOf = (offer: { config?: { configMap: Record<string, { body: Uint8Array }> } | undefined } | undefined): string | undefined =>
  offer?.config === undefined ? undefined : new TextDecoder().decode(offer.config.configMap[""]?.body);
const status = (lastRemoteConfigHash: Uint8Array, is: RemoteConfigStatuses, errorMessage = "") => ({
  remoteConfigStatus: { lastRemoteConfigHash, status: is, errorMessage },
});

it("an agent that nobody configured is offered nothing, not even something empty", async () => {
  const agent = await webSocketAgent(server);
  for (const said of [firstMessage(), {}, {}]) expect((await agent.ask(said)).remoteConfig).toBeUndefined();
});

it("what is saved is pushed at once over WebSocket, and not again while the agent works on it", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("receivers:\n"));
  const { remoteConfig } = await agent.hear();
  expect(bodyOf(remoteConfig)).toBe("receivers:\n");
  expect(remoteConfig?.config?.configMap[""]?.contentType).toBe("text/yaml");
  expect((await agent.ask({})).remoteConfig).toBeUndefined();
});

it("over plain HTTP it is in each answer until the agent names its hash", async () => {
  const agent = httpAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("receivers:\n"));
  const offered = (await agent.ask({})).remoteConfig;
  expect(bodyOf(offered)).toBe("receivers:\n");
  expect((await agent.ask({})).remoteConfig?.configHash).toEqual(offered?.configHash);
  const said = status(offered?.configHash ?? new Uint8Array(), RemoteConfigStatuses.RemoteConfigStatuses_APPLYING);
  expect((await agent.ask(said)).remoteConfig).toBeUndefined();
});

it("the course of an offer is kept with its reason and how long it took", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("receivers:\n"));
  const hash = (await agent.hear()).remoteConfig?.configHash ?? new Uint8Array();
  await agent.ask(status(Uint8Array.of(9), RemoteConfigStatuses.RemoteConfigStatuses_APPLIED));
  await agent.ask(status(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLYING));
  await agent.ask(status(hash, RemoteConfigStatuses.RemoteConfigStatuses_FAILED, "unknown receiver <b>"));
  const view = agentView(server.agent(), server.fleet).remoteConfig as {
    state: string;
    error: string;
    offer: { hash: string; statuses: { status: string }[]; tookMs: number };
  };
  expect(view).toMatchObject({ state: "FAILED", error: "unknown receiver <b>", offer: { hash: Buffer.from(hash).toString("hex") } });
  expect(view.offer.statuses.map((one) => one.status)).toEqual(["APPLYING", "FAILED"]);
  expect(view.offer.tookMs).toBeGreaterThanOrEqual(0);
});

it("a new connection whose agent has another hash is offered it again, one with the same hash is not", async () => {
  const first = await webSocketAgent(server);
  await first.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("receivers:\n"));
  const hash = (await first.hear()).remoteConfig?.configHash ?? new Uint8Array();
  await first.close();
  const second = await webSocketAgent(server);
  expect((await second.ask(firstMessage())).remoteConfig?.configHash).toEqual(hash);
  await second.close();
  const third = await webSocketAgent(server);
  const same = status(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED);
  expect((await third.ask(firstMessage(same))).remoteConfig).toBeUndefined();
});

it("what is saved for an agent that is gone waits for it", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  await agent.close();
  await server.until(() => server.fleet.agent(UID).gone, "the agent to be gone");
  await server.fleet.saveConfig(UID, oneFile("late:\n"));
  expect((agentView(server.fleet.agent(UID), server.fleet).remoteConfig as { state: string }).state).toBe("SAVED");
  const back = await webSocketAgent(server);
  expect(bodyOf((await back.ask(firstMessage())).remoteConfig)).toBe("late:\n");
});

it("an agent without the capability is refused by name, and is never offered anything", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage({ capabilities: CAPABILITIES & ~2n }));
  await expect(server.fleet.saveConfig(UID, oneFile("x:\n"))).rejects.toThrow("AcceptsRemoteConfig is not among its capabilities");
});

describe("after a restart of the server", () => {
  const restart = async (): Promise<void> => {
    await server.close();
    server = await startTestServer({ dataDirectory: directory, tls: false });
  };

  it("the saved configuration is still wanted", async () => {
    const agent = httpAgent(server);
    await agent.ask(firstMessage());
    await server.fleet.saveConfig(UID, oneFile("kept:\n"));
    await restart();
    expect(bodyOf((await httpAgent(server).ask(firstMessage())).remoteConfig)).toBe("kept:\n");
  });

  it("an agent that leaves out what it said before is heard first", async () => {
    const agent = httpAgent(server);
    await agent.ask(firstMessage());
    await server.fleet.saveConfig(UID, oneFile("kept:\n"));
    const hash = server.agent().offer?.config.hash ?? new Uint8Array();
    await restart();
    const terse = httpAgent(server, 5n);
    expect((await terse.ask({ capabilities: CAPABILITIES })).remoteConfig).toBeUndefined();
    const full = firstMessage(status(hash, RemoteConfigStatuses.RemoteConfigStatuses_APPLIED));
    expect((await terse.ask({ ...full, sequenceNum: 6n })).remoteConfig).toBeUndefined();
  });

  it("a damaged file is named and does not keep it from starting", async () => {
    await httpAgent(server).ask(firstMessage());
    await server.fleet.saveConfig(UID, oneFile("kept:\n"));
    await writeFile(join(directory, "configs", `${UID}.json`), "{");
    await restart();
    expect(server.warnings).toEqual([expect.stringContaining(`${UID}.json`) as string]);
    expect((await httpAgent(server).ask(firstMessage())).remoteConfig).toBeUndefined();
  });

  it("what was forgotten stays forgotten", async () => {
    await httpAgent(server).ask(firstMessage());
    await server.fleet.saveConfig(UID, oneFile("kept:\n"));
    expect(await readFile(join(directory, "configs", `${UID}.json`), "utf8")).toContain("kept");
    await server.fleet.forgetConfig(UID);
    await restart();
    expect((await httpAgent(server).ask(firstMessage())).remoteConfig).toBeUndefined();
  });
});

it("the hash tells names, bodies, types and roles apart, and does not depend on the order of files", () => {
  const file = (name: string, body: string, contentType = "", role = "") => ({ name, body, contentType, role });
  const text = (...files: Parameters<typeof configHash>[0]): string => Buffer.from(configHash(files)).toString("hex");
  const all = [text(file("a", "b")), text(file("ab", "")), text(file("", "ab")), text(file("a", "", "b")), text(file("a", "", "", "b")), text()];
  expect(new Set(all).size).toBe(all.length);
  expect(text(file("a", "1"), file("b", "2"))).toBe(text(file("b", "2"), file("a", "1")));
  expect(all[0]).toHaveLength(64);
});
