import { WebSocket } from "ws";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServerErrorResponseType } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock } from "../../../src/lib/clock.js";
import { oneFile, startTestServer, type TestServer } from "../../support/opamp-server.js";
import { encode, firstMessage, httpAgent, post, UID, webSocketAgent } from "./scripted-agent.js";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const heardRaw = (socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> =>
  new Promise((resolve) => socket.once("message", (data: Buffer, isBinary: boolean) => resolve({ data, isBinary })));
const body = encode(firstMessage());

describe("drop", () => {
  it("cuts a WebSocket without a Close frame, and has heard the message", async () => {
    server.modes.set({ is: "drop" });
    const agent = await webSocketAgent(server);
    agent.send(firstMessage());
    expect(await agent.closed).toBe(1006);
    expect(server.received).toHaveLength(1);
  });
  it("cuts a request", async () => {
    server.modes.set({ is: "drop", times: 1 });
    await expect(post(server.httpUrl, body)).rejects.toThrow();
    expect((await post(server.httpUrl, body)).status).toBe(200);
  });
});

it("delay answers late", async () => {
  server.modes.set({ is: "delay", ms: 60 });
  const agent = await webSocketAgent(server);
  const before = systemClock.now();
  await agent.ask(firstMessage());
  await httpAgent(server).ask(firstMessage());
  expect(systemClock.now() - before).toBeGreaterThanOrEqual(118);
});

it("garbage is binary and no protobuf", async () => {
  server.modes.set({ is: "garbage" });
  const socket = new WebSocket(server.webSocketUrl);
  const heard = heardRaw(socket);
  socket.once("open", () => socket.send(Buffer.from([0, ...body])));
  const { data, isBinary } = await heard;
  expect([isBinary, data[0], data[1]]).toEqual([true, 0, 0xff]);
  const response = await post(server.httpUrl, body);
  expect(new Uint8Array(await response.arrayBuffer())[0]).toBe(0xff);
});

it("text is a text frame, or a page over plain HTTP", async () => {
  server.modes.set({ is: "text" });
  const socket = new WebSocket(server.webSocketUrl);
  const heard = heardRaw(socket);
  socket.once("open", () => socket.send(Buffer.from([0, ...body])));
  expect((await heard).isBinary).toBe(false);
  expect((await post(server.httpUrl, body)).headers.get("content-type")).toBe("text/html");
});

describe.each([429, 503])("reject with %i", (status) => {
  it("refuses the upgrade and the request, with Retry-After, as often as asked", async () => {
    server.modes.set({ is: "reject", status, retryAfter: "7", times: 2 });
    const refused = await new Promise<{ status: number | undefined; retryAfter: string | undefined }>((resolve) => {
      const socket = new WebSocket(server.webSocketUrl);
      socket.on("unexpected-response", (_request, response) => resolve({ status: response.statusCode, retryAfter: response.headers["retry-after"] }));
    });
    expect(refused).toEqual({ status, retryAfter: "7" });
    const response = await post(server.httpUrl, body);
    expect([response.status, response.headers.get("retry-after")]).toEqual([status, "7"]);
    expect((await post(server.httpUrl, body)).status).toBe(200);
  });
});

it("hang-up answers first", async () => {
  server.modes.set({ is: "hang-up" });
  const agent = await webSocketAgent(server);
  expect((await agent.ask(firstMessage())).capabilities).toBe(0x17n);
  expect(await agent.closed).toBe(1000);
  expect((await post(server.httpUrl, body)).headers.get("connection")).toBe("close");
});

it("a full state storm asks in each answer", async () => {
  server.modes.set({ is: "full-state-storm" });
  const agent = await webSocketAgent(server);
  const flags = [await agent.ask(firstMessage()), await agent.ask({}), await agent.ask({})].map((answer) => answer.flags);
  expect(flags).toEqual([1n, 1n, 1n]);
});

it("an offer storm attaches the configuration to each answer", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("x:\n"));
  const { remoteConfig } = await agent.hear();
  server.modes.set({ is: "offer-storm" }, UID);
  const hashes = [await agent.ask({}), await agent.ask({})].map((answer) => answer.remoteConfig?.configHash);
  expect(hashes).toEqual([remoteConfig?.configHash, remoteConfig?.configHash]);
});

it("silence hears and says nothing", async () => {
  server.modes.set({ is: "silence", times: 2 });
  const agent = await webSocketAgent(server);
  agent.send(firstMessage());
  agent.send({});
  // The first words are the answer to the third message, which still is the first answer.
  expect((await agent.ask({})).capabilities).toBe(0x17n);
  expect(server.received.map((message) => message.sequenceNum)).toEqual([0n, 1n, 2n]);
});

it.each([
  [1_500, { case: "retryInfo", value: expect.objectContaining({ retryAfterNanoseconds: 1_500_000_000n }) as object }],
  [null, { case: undefined }],
])("unavailable says when to come back: %s ms", async (retryAfterMs, Details) => {
  server.modes.set({ is: "unavailable", retryAfterMs });
  const agent = await webSocketAgent(server);
  const { errorResponse, capabilities } = await agent.ask(firstMessage());
  expect(errorResponse).toMatchObject({ type: ServerErrorResponseType.ServerErrorResponseType_Unavailable, Details });
  expect(capabilities).toBe(0n);
});

it("bad-request refuses every message", async () => {
  server.modes.set({ is: "bad-request" });
  const agent = httpAgent(server);
  expect((await agent.ask(firstMessage())).errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest);
});

it("oversized is a proper message of that size", async () => {
  server.modes.set({ is: "oversized", bytes: 300_000, times: 1 });
  const agent = await webSocketAgent(server);
  expect((await agent.ask(firstMessage())).customMessage?.data.length).toBeGreaterThan(299_000);
  expect((await agent.ask({})).customMessage).toBeUndefined();
});

it("a mode of one agent leaves the others alone", async () => {
  server.modes.set({ is: "bad-request" }, UID);
  const agent = httpAgent(server);
  const other = { instanceUid: Uint8Array.from({ length: 16 }, () => 7) };
  expect((await agent.ask(firstMessage())).errorResponse).toBeDefined();
  expect((await agent.ask({ ...firstMessage(), ...other })).errorResponse).toBeUndefined();
  server.modes.set({ is: "none" }, UID);
  expect((await agent.ask({})).errorResponse).toBeUndefined();
});

it("an offer that a bad mode kept back is not taken for sent", async () => {
  const agent = httpAgent(server);
  await agent.ask(firstMessage());
  await server.fleet.saveConfig(UID, oneFile("x:\n"));
  server.modes.set({ is: "bad-request", times: 1 });
  await agent.ask({});
  expect(server.agent().offer?.sentAt).toBeNull();
  expect((await agent.ask({})).remoteConfig).toBeDefined();
});

it("dropConnections cuts everybody at once, and they may come back", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  server.dropConnections();
  expect(await agent.closed).toBe(1006);
  expect((await (await webSocketAgent(server)).ask(firstMessage())).instanceUid).toHaveLength(16);
});
