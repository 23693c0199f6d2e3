/** Nobody without the secret can take the Collector's seat, lock it out or listen in. */
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { EXTENSION_AUTHORIZATION_SCHEME, EXTENSION_PATH } from "../../src/config/variables.js";
import { silentLogger } from "../../src/lib/log.js";
import { ExtensionServer } from "../../src/opamp/extension.js";
import { HANDSHAKE_MS_MAX, STRANGERS_MAX } from "../../src/opamp/extension-limits.js";
import { failure, until } from "../collector/support.js";
import { ManualClock } from "../support/manual-clock.js";
import { connectExtension, extensionServer, stranger } from "./extension-support.js";

const SECRET = "0123456789abcdef";
const authorization = { Authorization: `${EXTENSION_AUTHORIZATION_SCHEME} ${SECRET}` };

describe("who comes in", () => {
  test("the extension, with what the composed configuration tells it", async () => {
    const { events, port, server } = await extensionServer();
    server.expect(1, SECRET);
    await connectExtension(port, authorization, EXTENSION_PATH);
    expect(events).toEqual([{ is: "collector-connected", attempt: 1, link: 1 }]);
  });

  test("whatever the word in front of the secret is", async () => {
    const { events, port, server } = await extensionServer();
    server.expect(1, SECRET);
    await connectExtension(port, { Authorization: `Secret ${SECRET}` });
    expect(events).toHaveLength(1);
  });
});

describe("who does not", () => {
  test.each([
    ["without a secret", {}, "/v1/opamp", 401],
    ["with an empty secret", { Authorization: "Bearer " }, "/v1/opamp", 401],
    ["with a wrong secret", { Authorization: "Bearer 0123456789abcdee" }, "/v1/opamp", 401],
    ["with the begin of the secret", { Authorization: "Bearer 0123456789" }, "/v1/opamp", 401],
    ["with the secret and more", { Authorization: `Bearer ${SECRET} ${SECRET}` }, "/v1/opamp", 401],
    ["with the secret alone", { Authorization: SECRET }, "/v1/opamp", 401],
    ["on another path", authorization, "/", 404],
    ["from a web page, even with the secret", { ...authorization, Origin: "http://127.0.0.1" }, "/v1/opamp", 403],
    ["from a page that hides where it comes from", { ...authorization, Origin: "null" }, "/v1/opamp", 403],
  ])("%s", async (_name, headers, path, status) => {
    const { events, log, port, server } = await extensionServer();
    server.expect(1, SECRET);
    const { message } = await failure(connectExtension(port, headers, path));
    expect(message).toBe(`Unexpected server response: ${status}`);
    expect(events).toEqual([]);
    expect(log.warnings).toEqual(["warn: Connection to the local OpAMP server refused"]);
    expect(JSON.stringify(log.lines)).not.toContain(SECRET.slice(0, 8));
  });

  test("anybody, before a Collector is expected", async () => {
    const { port } = await extensionServer();
    expect((await failure(connectExtension(port, authorization))).message).toBe("Unexpected server response: 401");
    expect((await failure(connectExtension(port, { Authorization: "Bearer " }))).message).toBe("Unexpected server response: 401");
  });

  test.each([
    ["without the secret", "", "HTTP/1.1 401 Unauthorized"],
    ["with the secret", `Authorization: Bearer ${SECRET}\r\n`, "HTTP/1.1 426 Upgrade Required"],
  ])("a plain request, %s", async (_name, header, line) => {
    const { port, server } = await extensionServer();
    server.expect(1, SECRET);
    const { socket, received, closed } = stranger(port);
    socket.write(`POST /v1/opamp HTTP/1.1\r\nHost: x\r\n${header}Content-Length: 0\r\n\r\n`);
    await closed;
    expect(received().split("\r\n")[0]).toBe(line);
  });

  test("what is no HTTP at all is hung up on", async () => {
    const { port, server } = await extensionServer();
    server.expect(1, SECRET);
    const { socket, closed } = stranger(port);
    socket.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    await closed;
  });

  test("refusals are one line a minute", async () => {
    const clock = new ManualClock();
    const { log, port } = await extensionServer(clock);
    for (let index = 0; index < 5; index++) await failure(connectExtension(port, {}));
    clock.advance(60_000);
    await failure(connectExtension(port, {}));
    expect(log.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields)).toEqual([
      { because: "it shows no secret", unlogged_before: 0 },
      { because: "it shows no secret", unlogged_before: 4 },
    ]);
  });
});

describe("the seat", () => {
  test("a newer link with the secret replaces an older one at once", async () => {
    const { events, port, server } = await extensionServer();
    server.expect(1, SECRET);
    const older = await connectExtension(port, authorization);
    const newer = await connectExtension(port, authorization);
    await older.closed;
    newer.say({ sequenceNum: 1n, agentDescription: {} });
    await until(() => newer.answers.length === 1);
    expect(events.map((event) => [event.is, "link" in event ? event.link : 0])).toEqual([
      ["collector-connected", 1],
      ["collector-connected", 2],
      ["collector-described", 2],
    ]);
  });

  test("nobody without the secret replaces it", async () => {
    const { port, server } = await extensionServer();
    server.expect(1, SECRET);
    const seated = await connectExtension(port, authorization);
    await failure(connectExtension(port, { Authorization: "Bearer guess" }));
    seated.say({ sequenceNum: 1n, agentDescription: {} });
    await until(() => seated.answers.length === 1);
  });

  test("a new attempt ends the links of the old one, whose secret is worth nothing now", async () => {
    const { events, port, server } = await extensionServer();
    server.expect(1, SECRET);
    const old = await connectExtension(port, authorization);
    server.expect(2, "another");
    await old.closed;
    expect((await failure(connectExtension(port, authorization))).message).toBe("Unexpected server response: 401");
    await connectExtension(port, { Authorization: "Bearer another" });
    expect(events).toEqual([
      { is: "collector-connected", attempt: 1, link: 1 },
      { is: "collector-connected", attempt: 2, link: 2 },
    ]);
  });
});

describe("a crowd at the door", () => {
  test("does not keep the Collector out", async () => {
    const { events, port, server } = await extensionServer(new ManualClock());
    server.expect(1, SECRET);
    const crowd = Array.from({ length: STRANGERS_MAX + 10 }, () => stranger(port));
    await Promise.all(crowd.slice(0, 10).map(({ closed }) => closed));
    await connectExtension(port, authorization);
    expect(events).toEqual([{ is: "collector-connected", attempt: 1, link: 1 }]);
  });

  test("whoever says nothing has to go, and the seated one stays", async () => {
    const clock = new ManualClock();
    const { port, server } = await extensionServer(clock);
    server.expect(1, SECRET);
    const seated = await connectExtension(port, authorization);
    const silent = stranger(port);
    const slow = stranger(port);
    slow.socket.write("GET /v1/opamp HTTP/1.1\r\nHost");
    await until(() => clock.pending.length === 2);
    clock.advance(HANDSHAKE_MS_MAX);
    await Promise.all([silent.closed, slow.closed]);
    seated.say({ sequenceNum: 1n, agentDescription: {} });
    await until(() => seated.answers.length === 1);
    expect(clock.pending).toEqual([]);
  });
});

describe("the port", () => {
  test("that is in use is named with the setting", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const server = new ExtensionServer({ clock: new ManualClock(), log: silentLogger, port, onEvent: () => undefined });
    expect(await failure(server.listen())).toEqual({
      code: "extension",
      message: `port ${port} on 127.0.0.1 is in use; choose another one in agent.opamp_server_port, or 0 for any free one`,
    });
    await server.close();
    await new Promise((resolve) => other.close(resolve));
  });

  test("is free again after close, with everybody gone", async () => {
    const { port, server } = await extensionServer();
    server.expect(1, SECRET);
    const seated = await connectExtension(port, authorization);
    const silent = stranger(port);
    await until(() => silent.socket.readyState === "open");
    await server.close();
    await Promise.all([seated.closed, silent.closed]);
    await server.close();
    const next = new ExtensionServer({ clock: new ManualClock(), log: silentLogger, port, onEvent: () => undefined });
    expect(await next.listen()).toBe(port);
    await next.close();
  });
});
