import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { uidBytes } from "../../../examples/server/instance-uid.js";
import { ServerErrorResponseType, ServerToAgentFlags, ServerToAgentSchema } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { startTestServer, type TestServer } from "../../support/opamp-server.js";
import { encode, firstMessage, httpAgent, post, UID, webSocketAgent, type ScriptedAgent } from "./scripted-agent.js";

const FULL_STATE = BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState);
const COMPONENTS = BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents);

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ messageBytesMax: 100_000 });
});
afterEach(() => server.close());

describe.each(["WebSocket", "HTTP"])("an agent over %s", (transport) => {
  const connect = (sequence = 0n): Promise<ScriptedAgent> =>
    transport === "HTTP" ? Promise.resolve(httpAgent(server, sequence)) : webSocketAgent(server, sequence);

  it("is answered with its own uid, and the server's capabilities come first", async () => {
    const agent = await connect();
    const answer = await agent.ask(firstMessage());
    expect(answer.instanceUid).toEqual(uidBytes(UID));
    // AcceptsStatus, OffersRemoteConfig, AcceptsEffectiveConfig, AcceptsPackagesStatus.
    expect(answer.capabilities).toBe(0x17n);
    expect(answer.flags).toBe(0n);
    expect(answer.remoteConfig).toBeUndefined();
  });

  it("is asked for its full state when the sequence has a gap, and not before or after", async () => {
    const agent = await connect();
    await agent.ask(firstMessage());
    expect((await agent.ask({})).flags).toBe(0n);
    expect((await agent.ask({ sequenceNum: 7n })).flags).toBe(FULL_STATE);
    expect((await agent.ask(firstMessage({ sequenceNum: 8n }))).flags).toBe(0n);
    expect(server.agent().notes.map((note) => note.text)).toEqual(["sequence number 7 follows 1: asked for the full state"]);
  });

  it("gets an answer to a repeated message, and no question", async () => {
    const agent = await connect();
    await agent.ask(firstMessage());
    const first = await agent.ask({ sequenceNum: 1n });
    const again = await agent.ask({ sequenceNum: 1n });
    expect([first.flags, again.flags]).toEqual([0n, 0n]);
  });

  it("is asked for its full state when it is new here and says little, but not for ever", async () => {
    const agent = await connect(12n);
    const flags: bigint[] = [];
    for (let message = 0; message < 5; message++) flags.push((await agent.ask({ capabilities: 0x1n })).flags);
    expect(flags).toEqual([FULL_STATE, FULL_STATE, FULL_STATE, 0n, 0n]);
  });

  it("that begins a new life is not asked for what it just said", async () => {
    const agent = await connect();
    await agent.ask(firstMessage());
    await agent.ask({});
    const reborn = await connect();
    expect((await reborn.ask(firstMessage())).flags).toBe(0n);
  });

  it("is asked for its components while only their hash is known", async () => {
    const agent = await connect();
    const capabilities = 0x4001n;
    const answer = await agent.ask({ ...firstMessage(), capabilities, availableComponents: { hash: Uint8Array.of(1, 2) } });
    expect(answer.flags).toBe(COMPONENTS);
    const full = { hash: Uint8Array.of(1, 2), components: { receivers: { subComponentMap: { otlp: {} } } } };
    expect((await agent.ask({ capabilities, availableComponents: full })).flags).toBe(0n);
    // The hash alone does not take the list away.
    expect((await agent.ask({ capabilities, availableComponents: { hash: Uint8Array.of(1, 2) } })).flags).toBe(0n);
    expect(Object.keys(server.agent().components?.components ?? {})).toEqual(["receivers"]);
    expect((await agent.ask({ capabilities, availableComponents: { hash: Uint8Array.of(3) } })).flags).toBe(COMPONENTS);
  });

  it.each([[new Uint8Array()], [new Uint8Array(16)], [new TextEncoder().encode("01ARZ3NDEKTSV4RRFFQ69G5FAV")]])("with a wrong instance uid gets BAD_REQUEST", async (instanceUid) => {
    const agent = await connect();
    const { errorResponse } = await agent.ask({ instanceUid });
    expect(errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest);
    expect(errorResponse?.errorMessage).toBe(`instance_uid must have 16 bytes that are not all zero, it has ${instanceUid.length}`);
    expect(server.fleet.agents()).toEqual([]);
  });

  it("keeps its capabilities when a poll does not name them", async () => {
    const agent = await connect();
    await agent.ask(firstMessage());
    await agent.ask({ capabilities: 0n });
    expect(server.agent().capabilities).toBe(0x3c07n);
  });

  it("that asks for an identity gets one", async () => {
    const agent = await connect();
    const answer = await agent.ask(firstMessage({ flags: 1n }));
    expect(answer.agentIdentification?.newInstanceUid).toHaveLength(16);
  });
});

describe("over WebSocket", () => {
  it.each([
    ["a header that is not 0", Buffer.from([1, ...encode({})]), "malformed message: the header of the message is not 0"],
    ["a header without end", Buffer.from([0x80]), "malformed message: the message ends within its header"],
    ["a header of 11 bytes", Buffer.from(Array<number>(11).fill(0x80)), "malformed message: the header of the message is longer than 10 bytes"],
    ["a text frame", "hello", "a text frame is not an OpAMP message"],
  ])("%s gets BAD_REQUEST, and the connection lives on", async (_name, bytes, why) => {
    const agent = await webSocketAgent(server);
    agent.socket.send(bytes);
    const { errorResponse } = await agent.hear();
    expect(errorResponse).toMatchObject({ type: ServerErrorResponseType.ServerErrorResponseType_BadRequest, errorMessage: why });
    expect((await agent.ask(firstMessage())).errorResponse).toBeUndefined();
  });

  it("a header that is 0 in more bytes than needed is understood", async () => {
    const agent = await webSocketAgent(server);
    agent.socket.send(Buffer.from([0x80, 0x00, ...encode(firstMessage())]));
    expect((await agent.hear()).errorResponse).toBeUndefined();
  });

  it("a message over the limit closes the connection with 1009", async () => {
    const agent = await webSocketAgent(server);
    agent.socket.send(Buffer.alloc(100_001));
    expect(await agent.closed).toBe(1009);
  });

  it("an offer over the limit is not sent, and that is recorded", async () => {
    const agent = await webSocketAgent(server);
    await agent.ask(firstMessage());
    await server.fleet.saveConfig(UID, [{ name: "", body: "x".repeat(100_001), contentType: "", role: "" }]);
    expect(server.news.find((news) => news.is === "misbehaved")).toMatchObject({ what: expect.stringMatching(/^an answer of 1000\d\d bytes was not sent: the limit is 100000$/) as string });
    expect(server.received).toHaveLength(1);
  });
});

describe("over plain HTTP", () => {
  it("a gzip body is understood, and a large answer is zipped for those who can read it", async () => {
    const zipped = await post(server.httpUrl, gzipSync(encode(firstMessage())), { "content-encoding": "gzip" });
    expect(fromBinary(ServerToAgentSchema, new Uint8Array(await zipped.arrayBuffer())).capabilities).toBe(0x17n);
    await server.fleet.saveConfig(UID, [{ name: "", body: "x".repeat(5_000), contentType: "", role: "" }]);
    const withGzip = await post(server.httpUrl, encode({}, 1n), { "accept-encoding": "gzip" });
    expect(withGzip.headers.get("content-encoding")).toBe("gzip");
    const withoutGzip = await post(server.httpUrl, encode({}, 2n), { "accept-encoding": "gzip;q=0" });
    expect(withoutGzip.headers.get("content-encoding")).toBeNull();
  });

  it.each([
    ["not protobuf", Buffer.from([0xff, 0xff]), {}, 400],
    ["too large", Buffer.alloc(100_001), {}, 413],
    ["too large once it is unzipped", gzipSync(Buffer.alloc(1_000_000)), { "content-encoding": "gzip" }, 413],
    ["not gzip although it says so", Buffer.from("abc"), { "content-encoding": "gzip" }, 400],
    ["in an unknown encoding", Buffer.from("abc"), { "content-encoding": "br" }, 415],
    ["of another content type", Buffer.from("{}"), { "content-type": "application/json" }, 415],
  ])("a body that is %s is refused", async (_name, body, headers, status) => {
    const response = await post(server.httpUrl, body, headers);
    expect(response.status).toBe(status);
    expect(server.fleet.agents()).toEqual([]);
  });

  it("what is not protobuf is told so in the protocol's own words too", async () => {
    const response = await post(server.httpUrl, Buffer.from([0xff, 0xff]));
    const { errorResponse } = fromBinary(ServerToAgentSchema, new Uint8Array(await response.arrayBuffer()));
    expect(errorResponse?.type).toBe(ServerErrorResponseType.ServerErrorResponseType_BadRequest);
    expect(errorResponse?.errorMessage).toMatch(/^malformed message: /);
  });

  it("another path and another method are refused", async () => {
    expect((await post(server.httpUrl.replace("/v1/opamp", "/other"), encode({}))).status).toBe(404);
    expect((await fetch(server.httpUrl)).status).toBe(426);
  });
});
