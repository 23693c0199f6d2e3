/** Servers that go away, misbehave or say no: when the client comes back, with what, and how much it says about it. */
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServerErrorResponseType } from "../../src/gen/opamp/v1/opamp_pb.js";
import { RawServer, type RawLink } from "../support/raw-server.js";
import { clientFor, decodeFramed, framed, partsOf, reportOf, settle, unhealthy, until, type Bench } from "./support.js";

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

function open(options: Parameters<typeof clientFor>[1] = {}, endpoint = server.endpoint("ws")): Bench {
  bench = clientFor(endpoint, options);
  bench.client.open();
  bench.client.tell(reportOf());
  return bench;
}

/** The pause before the next attempt: the only timer that is left once a connection has ended. */
async function pauseMs(): Promise<number> {
  await until(() => bench.clock.pending.length === 1 && server.links.all.every((link) => link.webSocket.readyState === 3));
  await settle();
  return bench.clock.pending[0] ?? -1;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function errors(): string[] {
  return bench.log.lines.filter((line) => line.message.startsWith("Server is")).map((line) => textOf(line.fields["error"]) ?? line.message);
}

describe("a useful connection that is lost", () => {
  test("is made again at once, and only what changed is said", async () => {
    const { client, clock, event, events } = open();
    const first = await server.links.next();
    await first.received.next();
    first.send(framed());
    await event("server-connected");
    clock.advance(10_000);
    first.webSocket.terminate();
    await event("server-lost");
    clock.advance(0);
    const second = await server.links.next();
    expect(partsOf(decodeFramed(await second.received.next()))).toEqual([]);
    client.tell(unhealthy("x"));
    expect(partsOf(decodeFramed(await second.received.next()))).toEqual(["health"]);
    second.send(framed());
    await event("server-connected");
    expect(bench.log.of("info")).toEqual(["Connected to the server", "Server is back"]);
    expect(bench.log.of("warn")).toEqual(["Server is away, trying again until it returns"]);
    expect(events.map(({ is }) => is)).toEqual(["server-connected", "server-lost", "server-connected"]);
  });

  test("with an unanswered message is made again with the full state", async () => {
    const { client, clock, event } = open();
    const first = await server.links.next();
    await first.received.next();
    first.send(framed());
    await event("server-connected");
    clock.advance(10_000);
    client.tell(unhealthy("lost on the way"));
    await first.received.next();
    first.webSocket.terminate();
    await event("server-lost");
    clock.advance(0);
    const message = decodeFramed(await (await server.links.next()).received.next());
    expect(partsOf(message)).toEqual(["agentDescription", "health", "effectiveConfig", "remoteConfigStatus"]);
    expect([message.health?.lastError, message.sequenceNum]).toEqual(["lost on the way", 2n]);
  });
});

describe("a server that accepts and drops at once", () => {
  test("sees growing gaps, and the log one line", async () => {
    server.onSocket = (socket) => socket.destroy();
    const { clock } = open();
    const gaps: number[] = [];
    for (let round = 0; round < 5; round++) {
      gaps.push(await pauseMs());
      clock.advance(gaps.at(-1) ?? 0);
      await until(() => server.sockets.all.length === round + 2);
    }
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(bench.log.of("warn")).toHaveLength(1);
    expect(bench.log.of("info")).toEqual([]);
    expect(bench.events.map(({ is }) => is)).toEqual(["server-lost"]);
  });

  test("the same after the WebSocket handshake, and after each answer", async () => {
    const { clock } = open();
    const gaps: number[] = [];
    for (let round = 0; round < 4; round++) {
      const link = await server.links.next();
      await link.received.next();
      if (round % 2 === 1) link.send(framed());
      link.webSocket.close(1001, "bye");
      gaps.push(await pauseMs());
      clock.advance(gaps.at(-1) ?? 0);
    }
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: the server closed the connection (code 1001, bye)`);
  });
});

describe("no server", () => {
  test("is refused: one line with cause and remedy, then silence", async () => {
    const { port } = server;
    await server.close();
    const { clock } = open({}, `ws://127.0.0.1:${port}/v1/opamp`);
    for (let round = 0; round < 4; round++) clock.advance(await pauseMs());
    await pauseMs();
    expect(bench.log.of("warn")).toHaveLength(1);
    expect(errors()[0]).toBe(
      `127.0.0.1:${port}: connection refused; is the server running, and is server.endpoint right? (connect ECONNREFUSED 127.0.0.1:${port})`,
    );
    server = await RawServer.listen();
  });

  test("a name that does not exist", async () => {
    open({}, "ws://no-such-host.invalid/v1/opamp");
    await bench.event("server-lost");
    expect(errors()[0]).toMatch(/^no-such-host\.invalid:80: the name cannot be resolved/);
  });
});

describe("a server that says no to the upgrade", () => {
  function refuse(head: string): void {
    server.onUpgrade = (_request, socket) => socket.end(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }

  test.each([
    ["503 Busy\r\nRetry-After: 7", 8_750, "the server is busy"],
    ["429 Slow down\r\nRetry-After: Tue, 14 Nov 2023 22:13:30 GMT", 12_500, "the server is busy"],
    ["503 Busy", 31_000, "the server is busy"],
    ["401 Unauthorized", 31_000, "check server.headers"],
    ["403 Forbidden", 31_000, "forbids access"],
    ["404 Not Found", 31_000, "it ends in /v1/opamp"],
    ["200 OK", 1_000, "use http:// or https://"],
    ["500 Oops", 1_000, "HTTP 500"],
  ])("%j: back after %i ms", async (head, expectedMs, text) => {
    refuse(head);
    open();
    expect(await pauseMs()).toBe(expectedMs);
    expect(errors()[0]).toContain(text);
  });
});

describe("UNAVAILABLE", () => {
  test("is answered with agent_disconnect, Close and the wait that it asks for, then everything", async () => {
    const { clock } = open();
    const link = await server.links.next();
    await link.received.next();
    const retryInfo = { case: "retryInfo" as const, value: { retryAfterNanoseconds: 4_000_000_000n } };
    link.send(framed({ errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_Unavailable, Details: retryInfo } }));
    expect(decodeFramed(await link.received.next()).agentDisconnect).toBeDefined();
    expect(await link.closed).toEqual({ code: 1000 });
    expect(await pauseMs()).toBe(5_000);
    clock.advance(4_999);
    await settle();
    expect(server.links.all).toHaveLength(1);
    clock.advance(1);
    const again = decodeFramed(await (await server.links.next()).received.next());
    expect(partsOf(again)).toContain("agentDescription");
  });
});

describe("a dead server", () => {
  test("that answers neither ping nor status is left after two minutes at most", async () => {
    const { clock } = open();
    const link = await server.links.next();
    await link.received.next();
    link.webSocket.pause();
    for (let round = 0; round < 2; round++) {
      clock.advance(30_000);
      await settle();
    }
    expect(bench.events).toEqual([]);
    clock.advance(30_000);
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: the server does not answer pings, 2 in a row`);
  });

  test("that answers pings but no status is asked once more, then left", async () => {
    const { clock } = open({ heartbeatMs: null });
    const link = await server.links.next();
    await link.received.next();
    await passWithPongs(link, clock, 60_000);
    expect(partsOf(decodeFramed(await link.received.next()))).toEqual([]);
    await passWithPongs(link, clock, 60_000);
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: the server has not answered for 120 s`);
  });

  test("one that answered the status and then only pings stays", async () => {
    const { clock } = open();
    const link = await server.links.next();
    await link.received.next();
    link.send(framed());
    await bench.event("server-connected");
    await passWithPongs(link, clock, 300_000);
    expect(bench.events.map(({ is }) => is)).toEqual(["server-connected"]);
    expect(link.received.all).toHaveLength(11);
  });

  /** Time passes in steps in which a ping can travel there and back. */
  async function passWithPongs(link: RawLink, clock: Bench["clock"], ms: number): Promise<void> {
    let pings = 0;
    link.webSocket.on("ping", () => pings++);
    for (let passed = 0; passed < ms; passed += 30_000) {
      const before = pings;
      clock.advance(30_000);
      await until(() => pings > before || link.webSocket.readyState !== 1 || bench.events.some(({ is }) => is === "server-lost"));
      await settle();
    }
  }
});

describe("a handshake that never ends", () => {
  let silent: Server;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    silent = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  test("is given up after 45 s", async () => {
    const port = (silent.address() as { port: number }).port;
    const { clock } = open({}, `ws://127.0.0.1:${port}/`);
    await until(() => sockets.length === 1);
    clock.advance(44_999);
    await settle();
    expect(bench.events).toEqual([]);
    clock.advance(1);
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${port}: no connection within 45 s; check the network`);
  });
});

describe("garbage", () => {
  test.each([
    ["text messages", (link: RawLink) => link.webSocket.send("hello"), 1002],
    ["a header that is not zero", (link: RawLink) => link.send(Uint8Array.of(1, 0x0a)), 1002],
    ["no protobuf", (link: RawLink) => link.send(Uint8Array.of(0, 0xff, 0xff)), 1007],
  ])("%s: the third in a row ends the connection", async (_name, rude, code) => {
    const { clock } = open();
    const link = await server.links.next();
    await link.received.next();
    rude(link);
    rude(link);
    link.send(framed());
    await bench.event("server-connected");
    for (let round = 0; round < 3; round++) rude(link);
    expect(await link.closed).toEqual({ code });
    expect(await pauseMs()).toBe(1_000);
    clock.advance(1_000);
    await server.links.next();
    expect(bench.log.of("warn").filter((line) => line === "Malformed message from the server")).toHaveLength(5);
  });

  test("a server that does not speak HTTP", async () => {
    server.onSocket = (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n");
    open();
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: it does not speak HTTP; check the port, and whether it wants wss://`);
  });

  test("a message of 100 MB is discarded with code 1009", async () => {
    open();
    const link = await server.links.next();
    await link.received.next();
    link.send(new Uint8Array(100_000_000));
    expect(await link.closed).toEqual({ code: 1009 });
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: the server sent a message of more than 67108864 bytes, which is discarded`);
  });

  test("a storm of requests for the full state is answered once a second", async () => {
    const { clock } = open();
    const link = await server.links.next();
    let answered = 0;
    link.webSocket.on("message", () => {
      answered++;
      link.send(framed({ flags: 1n }));
    });
    await until(() => answered >= 3);
    await settle();
    const burst = answered;
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      await until(() => answered === burst + second + 1);
      await settle();
    }
    expect([burst, answered]).toEqual([4, 7]);
  });
});

describe("the server refuses the size", () => {
  test("closing with 1009: the next connection comes without the largest part", async () => {
    const { clock } = open();
    bench.client.tell(reportOf({ effectiveConfig: [{ name: "", body: new Uint8Array(9_000), contentType: "" }] }));
    const link = await server.links.next();
    await link.received.next();
    link.webSocket.close(1009);
    clock.advance(await pauseMs());
    const message = decodeFramed(await (await server.links.next()).received.next());
    expect(partsOf(message)).toEqual(["agentDescription", "health", "remoteConfigStatus"]);
  });
});

describe("redirects", () => {
  test("are followed; credentials do not leave the origin", async () => {
    const other = await RawServer.listen();
    server.onUpgrade = (_request, socket) => socket.end(`HTTP/1.1 307 Go\r\nLocation: ${other.endpoint("http")}\r\nContent-Length: 0\r\n\r\n`);
    open({ headers: { Authorization: ["Bearer x"], "X-Key": ["k"] } });
    const link = await other.links.next();
    expect([link.request.headers.authorization, link.request.headers["x-key"]]).toEqual([undefined, undefined]);
    await link.received.next();
    await bench.client.close(5_000);
    await other.close();
  });

  test("in a circle end", async () => {
    server.onUpgrade = (_request, socket) => socket.end("HTTP/1.1 302 Go\r\nLocation: /v1/opamp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    open();
    await bench.event("server-lost");
    expect(errors()[0]).toBe(`127.0.0.1:${server.port}: the server redirects more than 5 times`);
    expect(server.sockets.all).toHaveLength(6);
  });
});
