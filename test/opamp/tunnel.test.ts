/** Through a proxy: CONNECT for WebSocket and TLS, a whole URL for plain HTTP. The server's name is never resolved here. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { RawServer } from "../support/raw-server.js";
import { clientFor, decodeFramed, decodeMessage, partsOf, plainTls, reportOf, settle, type Bench } from "./support.js";

const tls = join(import.meta.dirname, "../fixtures/tls");
const serverTls = { cert: readFileSync(join(tls, "other.crt")), key: readFileSync(join(tls, "other.key")) };

let proxy: Server;
let seen: IncomingMessage[];
let target: RawServer;
let bench: Bench;
let status = 200;
const sockets = new Set<Socket>();

beforeEach(async () => {
  seen = [];
  status = 200;
  proxy = createServer();
  proxy.on("connection", (socket) => sockets.add(socket.on("error", () => undefined)));
  proxy.on("connect", (request, socket: Socket) => {
    seen.push(request);
    if (status === 0) return;
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    const onward = connect(target.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  const closed = bench.client.close(0);
  bench.clock.advance(0);
  await target.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => proxy.close(resolve));
  await closed;
});

function open(endpoint: string): void {
  const address = `http://user:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  bench = clientFor(endpoint, { tls: { ...plainTls, caFile: join(tls, "ca.crt") }, env: { HTTP_PROXY: address, HTTPS_PROXY: address } });
  bench.client.open();
  bench.client.tell(reportOf());
}

const authorization = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;

async function failure(): Promise<string> {
  await bench.event("server-lost");
  return String(bench.log.lines.find((line) => line.message.startsWith("Server is away"))?.fields["error"]);
}

describe("proxy", () => {
  test("ws and wss go through CONNECT, with its credentials", async () => {
    target = await RawServer.listen();
    open("ws://other.example.com:4320/v1/opamp");
    expect(partsOf(decodeFramed(await (await target.links.next()).received.next()))).toContain("health");
    expect([seen[0]?.url, seen[0]?.headers["proxy-authorization"]]).toEqual(["other.example.com:4320", authorization]);
    await bench.client.close(5_000);
    await target.close();
    target = await RawServer.listen(serverTls);
    open("wss://other.example.com/v1/opamp");
    const link = await target.links.next();
    expect(partsOf(decodeFramed(await link.received.next()))).toContain("health");
    expect([seen[1]?.url, link.request.headers.host, link.request.headers["proxy-authorization"]]).toEqual(["other.example.com:443", "other.example.com", undefined]);
  });

  test("https goes through CONNECT", async () => {
    target = await RawServer.listen(serverTls);
    open("https://other.example.com:4320/v1/opamp");
    const { request, body } = await target.requests.next();
    expect([request.headers.host, partsOf(decodeMessage(body))[0]]).toEqual(["other.example.com:4320", "agentDescription"]);
    expect(request.headers["proxy-authorization"]).toBeUndefined();
  });

  test("plain http asks the proxy itself, with the whole URL", async () => {
    target = await RawServer.listen();
    const asked = new Promise<IncomingMessage>((resolve) => {
      proxy.on("request", (request: IncomingMessage, response) => {
        response.end();
        resolve(request);
      });
    });
    open("http://other.example.com:4320/v1/opamp?x=1");
    const request = await asked;
    expect([request.url, request.headers.host]).toEqual(["http://other.example.com:4320/v1/opamp?x=1", "other.example.com:4320"]);
    expect(request.headers["proxy-authorization"]).toBe(authorization);
    await bench.event("server-connected");
  });

  test.each([
    [407, "it wants credentials (HTTP 407); put them into the proxy's URL"],
    [403, "it refuses a tunnel to the server (HTTP 403); allow it there, or add the server to NO_PROXY"],
  ])("that says %i is named, without its password", async (code, text) => {
    target = await RawServer.listen();
    status = code;
    open("ws://other.example.com:4320/v1/opamp");
    expect(await failure()).toBe(`proxy 127.0.0.1:${(proxy.address() as AddressInfo).port}: ${text}`);
    expect(JSON.stringify(bench.log.lines)).not.toContain("p%40ss");
  });

  test("that is silent is given up, and its connection does not stay behind", async () => {
    target = await RawServer.listen();
    status = 0;
    open("ws://other.example.com:4320/v1/opamp");
    while (seen.length === 0) await settle();
    bench.clock.advance(45_000);
    expect(await failure()).toContain("no connection within 45 s");
    while (![...sockets].every((socket) => socket.destroyed || socket.readableEnded)) await settle();
    expect(sockets.size).toBe(1);
  });
});
