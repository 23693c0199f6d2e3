/** The client over plain HTTP: one request at a time, polls, refusals, and what must not be lost on the way. */
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServerErrorResponseType } from "../../src/gen/opamp/v1/opamp_pb.js";
import { RawServer } from "../support/raw-server.js";
import { clientFor, decodeMessage, partsOf, reportOf, serverMessage, settle, UID, unhealthy, until, type Bench } from "./support.js";

const EVERYTHING = ["agentDescription", "health", "effectiveConfig", "remoteConfigStatus"];

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
  bench = clientFor(server.endpoint("http"), options);
  bench.client.open();
  bench.client.tell(reportOf());
  return bench;
}

function error(): string {
  return String(bench.log.lines.find((line) => line.message.startsWith("Server is away"))?.fields["error"]);
}

async function pauseMs(): Promise<number> {
  await bench.event("server-lost");
  await settle();
  expect(bench.clock.pending).toHaveLength(1);
  return bench.clock.pending[0] ?? -1;
}

describe("an exchange", () => {
  test("is a POST of protobuf without header byte, with the uid in a header", async () => {
    open({ headers: { Authorization: ["Bearer x"] } });
    const { request, body, answer } = await server.requests.next();
    expect([request.method, request.url]).toEqual(["POST", "/v1/opamp"]);
    expect(request.headers).toMatchObject({
      "content-type": "application/x-protobuf",
      "content-length": String(body.length),
      "accept-encoding": "gzip",
      "opamp-instance-uid": UID,
      authorization: "Bearer x",
      connection: "keep-alive",
    });
    expect(body[0]).toBe(0x0a);
    expect(partsOf(decodeMessage(body))).toEqual(EVERYTHING);
    answer(200);
    await bench.event("server-connected");
  });

  test("one at a time: changes gather while the answer is awaited, then leave at once on the same connection", async () => {
    const { client } = open();
    const first = await server.requests.next();
    client.tell(unhealthy("one"));
    client.tell(unhealthy("two"));
    await settle();
    expect(server.requests.all).toHaveLength(1);
    first.answer(200, serverMessage());
    const message = decodeMessage((await server.requests.next()).body);
    expect([partsOf(message), message.health?.lastError, message.sequenceNum]).toEqual([["health"], "two", 1n]);
    expect(server.sockets.all).toHaveLength(1);
  });

  test("offers in a gzipped answer are heard", async () => {
    open();
    const offer = serverMessage({ remoteConfig: { configHash: Uint8Array.of(5), config: {} } });
    (await server.requests.next()).answer(200, gzipSync(offer), { "content-encoding": "gzip" });
    expect(await bench.event("remote-config-offered")).toMatchObject({ config: { hash: "05" } });
  });

  test("polls every 30 s after the last message, also without heartbeats", async () => {
    const { clock } = open({ heartbeatMs: null });
    (await server.requests.next()).answer(200, serverMessage());
    await bench.event("server-connected");
    await settle();
    clock.advance(29_999);
    await settle();
    expect(server.requests.all).toHaveLength(1);
    clock.advance(1);
    const poll = decodeMessage((await server.requests.next()).body);
    expect([partsOf(poll), poll.sequenceNum]).toEqual([[], 1n]);
  });

  test("a keep-alive connection that the server closed meanwhile is no loss", async () => {
    const { client } = open();
    const first = await server.requests.next();
    first.answer(200, serverMessage());
    await bench.event("server-connected");
    await settle();
    // The server dies on the second request on the old connection, before it answers.
    client.tell(unhealthy("x"));
    const second = await server.requests.next();
    second.request.socket.destroy();
    const third = await server.requests.next();
    expect(third.body).toEqual(second.body);
    third.answer(200, serverMessage());
    await settle();
    expect(bench.events.map(({ is }) => is)).toEqual(["server-connected"]);
  });
});

describe("what was not answered is not told", () => {
  test.each([
    [500, EVERYTHING, 1_000],
    [502, EVERYTHING, 1_000],
    [408, EVERYTHING, 1_000],
    [401, EVERYTHING, 31_000],
    [404, EVERYTHING, 31_000],
  ])("after HTTP %i all of it comes again", async (status, parts, expectedMs) => {
    const { clock } = open();
    (await server.requests.next()).answer(status);
    const pause = await pauseMs();
    expect(pause).toBe(expectedMs);
    clock.advance(pause);
    const again = decodeMessage((await server.requests.next()).body);
    expect([partsOf(again), again.sequenceNum]).toEqual([parts, 0n]);
  });

  test("busy with Retry-After: the change waits for it, and only the change", async () => {
    const { client, clock } = open();
    (await server.requests.next()).answer(200, serverMessage());
    await bench.event("server-connected");
    client.tell(unhealthy("x"));
    (await server.requests.next()).answer(429, "", { "retry-after": "8" });
    expect(await pauseMs()).toBe(10_000);
    clock.advance(10_000);
    const again = decodeMessage((await server.requests.next()).body);
    expect([partsOf(again), again.sequenceNum]).toEqual([["health"], 1n]);
  });

  test("a connection that is cut: everything again, under a new number if it changed", async () => {
    const { client, clock } = open();
    (await server.requests.next()).request.socket.destroy();
    clock.advance(await pauseMs());
    const second = await server.requests.next();
    expect(decodeMessage(second.body).sequenceNum).toBe(0n);
    client.tell(unhealthy("x"));
    second.request.socket.destroy();
    await settle();
    await until(() => bench.clock.pending.length === 1);
    clock.advance(bench.clock.pending[0] ?? 0);
    const third = decodeMessage((await server.requests.next()).body);
    expect([partsOf(third), third.sequenceNum]).toEqual([EVERYTHING, 1n]);
  });

  test("UNAVAILABLE in a success is obeyed as 503 would be", async () => {
    const { clock } = open();
    const unavailable = { type: ServerErrorResponseType.ServerErrorResponseType_Unavailable, errorMessage: "later" };
    (await server.requests.next()).answer(200, serverMessage({ errorResponse: unavailable }));
    const pause = await pauseMs();
    expect([pause, error()]).toEqual([31_000, "the server is unavailable: later"]);
    clock.advance(pause);
    expect(partsOf(decodeMessage((await server.requests.next()).body))).toEqual(EVERYTHING);
  });
});

describe("content that is refused", () => {
  test.each([400, 415, 422])("HTTP %i: not sent again until it changes; polls go on", async (status) => {
    const { client, clock } = open();
    (await server.requests.next()).answer(status, "health is nonsense\n");
    await settle();
    expect(server.requests.all).toHaveLength(1);
    expect(bench.log.lines.at(-1)).toMatchObject({ level: "error", fields: { error: `127.0.0.1:${server.port}: health is nonsense (HTTP ${status})` } });
    clock.advance(30_000);
    const poll = await server.requests.next();
    expect(partsOf(decodeMessage(poll.body))).toEqual([]);
    poll.answer(200);
    client.tell(unhealthy("x"));
    expect(partsOf(decodeMessage((await server.requests.next()).body))).toEqual(["health"]);
  });

  test("413: the rest goes at once without the largest part, the same never again", async () => {
    const { client } = open();
    const big = [{ name: "", body: new Uint8Array(9_000), contentType: "" }];
    client.tell(reportOf({ effectiveConfig: big }));
    const first = await server.requests.next();
    first.answer(413);
    const second = await server.requests.next();
    expect(partsOf(decodeMessage(second.body))).toEqual(["agentDescription", "health", "remoteConfigStatus"]);
    second.answer(200);
    await settle();
    expect(server.requests.all).toHaveLength(2);
  });
});

describe("answers that are no answers", () => {
  test.each([
    ["a web page", (): Uint8Array => new TextEncoder().encode("<!doctype html>"), {}, "the answer is no OpAMP message (not a ServerToAgent"],
    ["gzip that is none", (): Uint8Array => Uint8Array.of(1, 2, 3), { "content-encoding": "gzip" }, "the answer is not gzip although it says so"],
    ["brotli", (): Uint8Array => Uint8Array.of(1, 2, 3), { "content-encoding": "br" }, "content-encoding br, which was not asked for"],
    ["100 MB", (): Uint8Array => new Uint8Array(100_000_000), {}, "the answer has more than 67108864 bytes and is discarded"],
    ["100 MB in 100 KB", (): Uint8Array => gzipSync(new Uint8Array(100_000_000)), { "content-encoding": "gzip" }, "the answer has more than 67108864 bytes and is discarded"],
  ])("%s", async (_name, body, headers, text) => {
    open();
    (await server.requests.next()).answer(200, body(), headers);
    expect(await pauseMs()).toBe(1_000);
    expect(error()).toContain(text);
    expect(error()).toContain(`127.0.0.1:${server.port}: `);
  });

  test("silence ends after a minute", async () => {
    const { clock } = open();
    await server.requests.next();
    clock.advance(59_000);
    await settle();
    expect(bench.events).toEqual([]);
    clock.advance(1_100);
    expect(await pauseMs()).toBe(1_000);
    expect(error()).toBe(`127.0.0.1:${server.port}: the server has not answered for 60 s`);
  });

  test("an answer that trickles for ever ends after ten minutes", async () => {
    const { clock } = open();
    const { response } = await server.requests.next();
    response.writeHead(200, { "content-length": "1000000" });
    for (let minute = 0; minute < 12 && bench.events.length === 0; minute++) {
      response.write("x");
      await settle();
      clock.advance(55_000);
      await settle();
    }
    await bench.event("server-lost");
    expect(error()).toBe(`127.0.0.1:${server.port}: the answer does not come to an end`);
  });
});

describe("redirects", () => {
  test("307 repeats the POST; credentials stay with the origin", async () => {
    const other = await RawServer.listen();
    open({ headers: { Authorization: ["Bearer x"], "X-Key": ["k"] } });
    (await server.requests.next()).answer(307, "", { location: other.endpoint("http") });
    const { request, body, answer } = await other.requests.next();
    expect([request.method, request.headers.authorization, request.headers["x-key"]]).toEqual(["POST", undefined, undefined]);
    expect(request.headers["opamp-instance-uid"]).toBe(UID);
    expect(partsOf(decodeMessage(body))).toEqual(EVERYTHING);
    answer(200);
    await bench.event("server-connected");
    await other.close();
  });

  test("302 would lose the message and is refused", async () => {
    open();
    (await server.requests.next()).answer(302, "", { location: "/x" });
    await bench.event("server-lost");
    expect(error()).toContain("it has to use 307 or 308");
  });
});

describe("close", () => {
  test("posts what is pending with agent_disconnect once, after the exchange that is under way", async () => {
    const { client } = open();
    (await server.requests.next()).answer(200);
    await bench.event("server-connected");
    client.tell(unhealthy("one"));
    const under = await server.requests.next();
    client.tell(unhealthy("the supervisor is shut down"));
    const closed = client.close(5_000);
    await settle();
    expect(server.requests.all).toHaveLength(2);
    under.answer(200);
    const last = await server.requests.next();
    const message = decodeMessage(last.body);
    expect(partsOf(message)).toEqual(["health", "agentDisconnect"]);
    expect(message.health?.lastError).toBe("the supervisor is shut down");
    last.answer(503);
    await closed;
    expect(bench.clock.pending).toEqual([]);
  });

  test("ends within its budget although nobody answers", async () => {
    const { client, clock } = open();
    (await server.requests.next()).answer(200);
    await bench.event("server-connected");
    const closed = client.close(2_000);
    await server.requests.next();
    clock.advance(2_000);
    await closed;
    expect(server.requests.all).toHaveLength(2);
  });
});
