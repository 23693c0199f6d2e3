/** The client over WebSocket against a server that behaves: first message, changes, heartbeats, offers, goodbye. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RawServer } from "../support/raw-server.js";
import { clientFor, decodeFramed, framed, partsOf, reportOf, settle, UID, unhealthy, until, type Bench } from "./support.js";

let server: RawServer;
let bench: Bench;

beforeEach(async () => {
  server = await RawServer.listen();
});

afterEach(async () => {
  const closed = bench.client.close(0);
  bench.clock.advance(0);
  await server.close();
  await closed;
});

function open(options: Parameters<typeof clientFor>[1] = {}): Bench {
  bench = clientFor(server.endpoint("ws"), options);
  bench.client.open();
  return bench;
}

describe("connection", () => {
  test("is made at once, with the configured headers and no extension; the first message waits for the first report", async () => {
    const { client } = open({ headers: { Authorization: ["Bearer x"], "X-Many": ["1", "2"] } });
    const link = await server.links.next();
    expect(link.request.url).toBe("/v1/opamp");
    expect(link.request.headers).toMatchObject({ authorization: "Bearer x", "x-many": "1, 2", host: `127.0.0.1:${server.port}` });
    expect(link.request.headers["sec-websocket-extensions"]).toBeUndefined();
    expect(link.request.headers.origin).toBeUndefined();
    await settle();
    expect(link.received.all).toEqual([]);
    client.tell(reportOf());
    expect(partsOf(decodeFramed(await link.received.next()))).toContain("agentDescription");
  });

  test("what the server says at once, with the handshake, is heard", async () => {
    server.onUpgrade = null;
    const { client, event } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    link.send(framed({ remoteConfig: { configHash: Uint8Array.of(1), config: {} } }));
    expect(await event("server-connected")).toEqual({ is: "server-connected" });
    expect(await event("remote-config-offered")).toMatchObject({ config: { hash: "01", files: [] } });
  });

  test("acknowledgements are not answered", async () => {
    const { client, event } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    for (let round = 0; round < 5; round++) link.send(framed());
    await event("server-connected");
    await settle();
    expect(link.received.all).toHaveLength(1);
  });

  test("a change is one message with that part", async () => {
    const { client } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    client.tell(unhealthy("one"));
    const message = decodeFramed(await link.received.next());
    expect(partsOf(message)).toEqual(["health"]);
    expect(message.sequenceNum).toBe(1n);
  });
});

describe("heartbeat", () => {
  test("leaves 30 s after the last message of any kind", async () => {
    const { client, clock } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    clock.advance(20_000);
    client.tell(unhealthy("x"));
    await link.received.next();
    clock.advance(29_999);
    await settle();
    expect(link.received.all).toHaveLength(2);
    clock.advance(1);
    const beat = decodeFramed(await link.received.next());
    expect(partsOf(beat)).toEqual([]);
    expect([beat.sequenceNum, Buffer.from(beat.instanceUid).toString("hex")]).toEqual([2n, UID.replaceAll("-", "")]);
  });

  test("is off with null", async () => {
    const { client, clock } = open({ heartbeatMs: null });
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    link.send(framed());
    await bench.event("server-connected");
    clock.advance(60_000);
    await settle();
    expect(link.received.all).toHaveLength(1);
  });
});

describe("close", () => {
  test("tells what is pending with agent_disconnect, then closes with 1000", async () => {
    const { client } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    client.tell(unhealthy("one"));
    await link.received.next();
    client.tell(unhealthy("two"));
    const closed = client.close(5_000);
    expect(client.close(1)).toBe(closed);
    const messages = [decodeFramed(await link.received.next())];
    if (messages[0]?.agentDisconnect === undefined) messages.push(decodeFramed(await link.received.next()));
    expect(messages.some((message) => message.health?.lastError === "two")).toBe(true);
    expect(messages.at(-1)?.agentDisconnect).toBeDefined();
    expect(await link.closed).toEqual({ code: 1000 });
    await closed;
  });

  test("ends within its budget although the server does not answer the Close frame", async () => {
    const { client, clock } = open();
    client.tell(reportOf());
    const link = await server.links.next();
    await link.received.next();
    link.webSocket.pause();
    const closed = client.close(2_000);
    clock.advance(1_999);
    await settle();
    const before = await Promise.race([closed.then(() => "closed"), settle().then(() => "open")]);
    clock.advance(1);
    await closed;
    expect(before).toBe("open");
  });

  test("before the connection is there ends at once", async () => {
    server.onSocket = () => undefined;
    server.onUpgrade = () => undefined;
    const { client } = open();
    client.tell(reportOf());
    await server.sockets.next();
    await client.close(5_000);
    expect(server.links.all).toEqual([]);
  });

  test("of a client that was never opened is nothing", async () => {
    bench = clientFor(server.endpoint("ws"));
    await bench.client.close(5_000);
    bench.client.open();
    await settle();
    expect(server.sockets.all).toEqual([]);
  });

  test("while waiting for the next attempt ends at once", async () => {
    server.onSocket = (socket) => socket.destroy();
    const { client, event } = open();
    await event("server-lost");
    await client.close(5_000);
    expect(bench.clock.pending).toEqual([]);
  });
});

describe("a slow link", () => {
  test("gathers changes while a large message is on its way", async () => {
    const { client } = open();
    const big = [{ name: "", body: new Uint8Array(12_000_000), contentType: "" }];
    const link = await server.links.next();
    link.send(framed());
    await bench.event("server-connected");
    link.webSocket.pause();
    client.tell(reportOf({ effectiveConfig: big }));
    for (let round = 0; round < 100; round++) client.tell({ ...unhealthy(`e${round}`), effectiveConfig: big });
    await settle();
    link.webSocket.resume();
    await until(() => link.received.all.length >= 2);
    expect(link.received.all.map((bytes) => decodeFramed(bytes).health?.lastError)).toEqual(["", "e99"]);
  });
});
