/** What the extension says becomes events of its attempt and link, and each message is answered. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { AgentToServerSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { encodeFrame } from "../../src/opamp/frame.js";
import { uidToBytes } from "../../src/opamp/uid.js";
import { until } from "../collector/support.js";
import { ManualClock } from "../support/manual-clock.js";
import { connectExtension, extensionServer } from "./extension-support.js";

const UID = "018fee23-4a51-7303-a441-73faed7d9deb";
const FULL_STATE = 1n;
const COMPONENTS = 2n;
const hash = Uint8Array.of(1, 2, 3);

async function seated(instanceUid: string | null = null) {
  const clock = new ManualClock();
  const scene = await extensionServer(clock);
  scene.server.expect(7, "secret", instanceUid);
  const connect = (): ReturnType<typeof connectExtension> => connectExtension(scene.port, { Authorization: "Bearer secret" });
  const extension = await connect();
  let sequenceNum = 0n;
  /** Says it, and waits for the answer. */
  const say = async (message: Parameters<typeof extension.say>[0], speaker = extension) => {
    const before = speaker.answers.length;
    sequenceNum += 1n;
    speaker.say({ instanceUid: uidToBytes(UID), sequenceNum, ...message });
    await until(() => speaker.answers.length > before);
    return speaker.answers[before];
  };
  const kinds = (): string[] => scene.events.map(({ is }) => is);
  return { ...scene, clock, connect, extension, say, kinds };
}

describe("a message", () => {
  test("becomes events in an order in which health comes last", async () => {
    const { events, say } = await seated();
    await say({
      health: { healthy: true, status: "StatusOK" },
      effectiveConfig: { configMap: { configMap: { "": { body: Buffer.from("a: 1"), contentType: "text/yaml" } } } },
      agentDescription: { identifyingAttributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "otelcol" } } }] },
      availableComponents: { hash, components: { receivers: {} } },
    });
    expect(events.map(({ is }) => is)).toEqual([
      "collector-connected",
      "collector-described",
      "collector-components",
      "collector-config-reported",
      "collector-health",
    ]);
    for (const event of events) expect(event).toMatchObject({ attempt: 7, link: 1 });
    expect(events[1]).toMatchObject({ description: { identifyingAttributes: [{ key: "service.name" }] } });
    expect(events[2]).toMatchObject({ components: { hash: Buffer.from(hash), components: { receivers: {} } } });
    expect(events[3]).toMatchObject({ files: [{ name: "", contentType: "text/yaml", body: Buffer.from("a: 1") }] });
    expect(events[4]).toMatchObject({ verdict: "healthy", error: "", health: { healthy: true, status: "StatusOK" } });
  });

  test("is answered to who sent it, with what this server accepts", async () => {
    const { say } = await seated();
    const answer = await say({ agentDescription: {} });
    expect(Buffer.from(answer?.instanceUid ?? []).equals(uidToBytes(UID))).toBe(true);
    expect([answer?.flags, answer?.capabilities]).toEqual([0n, 5n]);
    expect(answer?.remoteConfig).toBeUndefined();
  });

  test("with an empty configuration says nothing about it", async () => {
    const { kinds, say } = await seated();
    await say({ agentDescription: {}, effectiveConfig: {} });
    await say({ effectiveConfig: { configMap: {} } });
    expect(kinds()).toEqual(["collector-connected", "collector-described"]);
  });

  test("without anything is fine too", async () => {
    const { kinds, say } = await seated();
    await say({ agentDescription: {} });
    await say({});
    expect(kinds()).toEqual(["collector-connected", "collector-described"]);
  });
});

describe("components", () => {
  test("a hash alone is answered by the wish for the list, once", async () => {
    const { kinds, say } = await seated();
    expect((await say({ agentDescription: {}, availableComponents: { hash } }))?.flags).toBe(COMPONENTS);
    expect((await say({ availableComponents: { hash } }))?.flags).toBe(0n);
    expect((await say({ availableComponents: { hash, components: { receivers: {} } } }))?.flags).toBe(0n);
    expect(kinds()).toEqual(["collector-connected", "collector-described", "collector-components"]);
  });

  test("a next link with the same hash need not send the list again, one with another hash must", async () => {
    const { connect, events, say } = await seated();
    await say({ agentDescription: {}, availableComponents: { hash, components: { receivers: {} } } });
    const next = await connect();
    expect((await say({ agentDescription: {}, availableComponents: { hash } }, next))?.flags).toBe(0n);
    expect(events.at(-1)).toMatchObject({ is: "collector-components", link: 2, components: { components: { receivers: {} } } });
    const other = await connect();
    expect((await say({ agentDescription: {}, availableComponents: { hash: Uint8Array.of(9) } }, other))?.flags).toBe(COMPONENTS);
  });
});

describe("what got lost", () => {
  test("a link that begins without its state is asked for all of it", async () => {
    const { say } = await seated();
    expect((await say({ health: { healthy: true } }))?.flags).toBe(FULL_STATE);
    expect((await say({ agentDescription: {} }))?.flags).toBe(0n);
  });

  test("so is one that skips a number, but not for ever", async () => {
    const { clock, say } = await seated();
    await say({ agentDescription: {}, sequenceNum: 1n });
    expect((await say({ sequenceNum: 2n }))?.flags).toBe(0n);
    expect((await say({ sequenceNum: 4n }))?.flags).toBe(FULL_STATE);
    expect((await say({ sequenceNum: 6n }))?.flags).toBe(FULL_STATE);
    expect((await say({ sequenceNum: 8n }))?.flags).toBe(0n);
    clock.advance(5_000);
    expect((await say({ sequenceNum: 18n }))?.flags).toBe(FULL_STATE);
  });
});

describe("identity", () => {
  test("another one than was given is an error in the log, once", async () => {
    const { log, say } = await seated("018fee23-4a51-7303-a441-73faed7d9d00");
    await say({ agentDescription: {} });
    await say({});
    expect(log.warnings).toEqual(["error: Collector reports under another instance uid than it was given"]);
  });

  test("the one that was given is not", async () => {
    const { log, say } = await seated(UID);
    await say({ agentDescription: {} });
    expect(log.warnings).toEqual([]);
  });
});

describe("garbage", () => {
  const bad: [string, Uint8Array | string, string][] = [
    ["text", "hello", "it is text, OpAMP messages are binary"],
    ["nothing", new Uint8Array(), "the message is empty, its header byte is missing"],
    ["another header", Uint8Array.of(1, 0), "the header is not zero (first byte 0x01)"],
    ["no protobuf", Uint8Array.of(0, 0xff, 0xff), "it is no AgentToServer"],
    ["a field that is longer than the message", Uint8Array.of(0, 0x0a, 0x7f, 0x01), "it is no AgentToServer"],
    ["a health tree that is none", Uint8Array.of(0, 0x2a, 0x01, 0xff), "its health is malformed"],
  ];
  test.each(bad)("%s is dropped with a warning, and the link goes on", async (_name, data, reason) => {
    const { extension, kinds, log, say } = await seated();
    extension.socket.send(data);
    await until(() => log.warnings.length === 1);
    expect(log.lines.find(({ level }) => level === "warn")).toMatchObject({ message: "Malformed message of the Collector's extension", fields: { reason } });
    await say({ agentDescription: {} });
    expect(kinds().at(-1)).toBe("collector-described");
  });

  test("three times in a row ends the link, and the next one is welcome", async () => {
    const { connect, extension, say } = await seated();
    for (let index = 0; index < 3; index++) extension.socket.send("hello");
    await extension.closed;
    const next = await connect();
    expect(await say({ agentDescription: {} }, next)).toBeDefined();
  });

  test("a message beyond the limit is refused by its size, without being read", async () => {
    const { extension, log, port, server } = await seated();
    const code = new Promise<number>((resolve) => extension.socket.once("close", resolve));
    // The length of a frame stands in its first bytes: 200 MB are announced, none is sent.
    const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x0b, 0xeb, 0xc2, 0x00, 1, 2, 3, 4]);
    (extension.socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(head);
    expect(await code).toBe(1009);
    expect(log.warnings).toEqual(["warn: Link of the Collector's extension fails"]);
    expect(port).toBeGreaterThan(0);
    await server.close();
  });
});

test("a health tree of 400 KB costs little until it is wanted", async () => {
  const { clock, events, extension, say } = await seated();
  const componentHealthMap = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`pipeline:traces/${index}`, { healthy: true, status: "StatusOK" }]));
  const message = encodeFrame(
    toBinary(AgentToServerSchema, create(AgentToServerSchema, { instanceUid: uidToBytes(UID), health: { healthy: true, status: "StatusOK", componentHealthMap } })),
  );
  await say({ agentDescription: {} });
  for (let index = 0; index < 80; index++) extension.socket.send(message);
  await until(() => extension.answers.length === 81);
  expect(events.filter(({ is }) => is === "collector-health")).toHaveLength(1);
  clock.advance(200);
  expect(events.filter(({ is }) => is === "collector-health")).toHaveLength(2);
  expect(extension.socket.readyState).toBe(WebSocket.OPEN);
});
