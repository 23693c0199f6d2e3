/** What a server says, as events and acts; and what of it is ignored. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  AgentConfigMapSchema,
  AgentConfigObjectSchema,
  ServerErrorResponseSchema,
  ServerErrorResponseType,
  ServerToAgentCommandSchema,
} from "../../src/gen/opamp/v1/opamp_pb.js";
import { Session } from "../../src/opamp/session.js";
import { uidToBytes } from "../../src/opamp/uid.js";
import { ALL_BITS, decodeMessage, host, LogLines, OTHER_UID, partsOf, reportOf, serverMessage, UID } from "./support.js";

const GO_ON = { do: "go-on" };

function started(capabilities = ALL_BITS): { session: Session; log: LogLines } {
  const log = new LogLines();
  const session = new Session({ log, sendBytesMax: 1_000_000, host: () => host });
  session.connected("ws://a/");
  session.tell(reportOf({ capabilities }), 0n);
  const draft = session.next(0);
  if (draft !== null) session.sent(draft);
  return { session, log };
}

function offer(name: string, text: string): { remoteConfig: { configHash: Uint8Array; config: { configMap: Record<string, { body: Uint8Array; contentType: string }> } } } {
  return { remoteConfig: { configHash: Uint8Array.of(0xab, 1), config: { configMap: { [name]: { body: new TextEncoder().encode(text), contentType: "text/yaml" } } } } };
}

describe("acknowledgements", () => {
  test.each([
    ["nothing at all", serverMessage()],
    ["our uid", serverMessage({ instanceUid: uidToBytes(UID) })],
    ["unknown fields", Uint8Array.of(0xfa, 0x3f, 2, 1, 1)],
    ["unknown high flags and capabilities", serverMessage({ flags: 1n << 60n, capabilities: 1n << 63n })],
  ])("%s: processed, and never answered", (_name, bytes) => {
    const { session } = started();
    expect(session.received(bytes)).toEqual({ events: [], act: GO_ON });
    expect(session.useful).toBe(true);
    expect(session.next(0)).toBeNull();
  });
});

describe("remote configuration", () => {
  test("becomes an offer with its hash and files", () => {
    const { session } = started();
    const { events } = session.received(serverMessage(offer("a.yaml", "x: 1")));
    const body = new TextEncoder().encode("x: 1");
    expect(events).toEqual([
      { is: "remote-config-offered", config: { hash: "ab01", files: [{ name: "a.yaml", body, contentType: "text/yaml", role: "" }] } },
    ]);
  });

  test("an empty map is an offer, an unset config is none", () => {
    const { session } = started();
    const empty = session.received(serverMessage({ remoteConfig: { configHash: Uint8Array.of(9), config: {} } }));
    expect(empty.events).toEqual([{ is: "remote-config-offered", config: { hash: "09", files: [] } }]);
    expect(session.received(serverMessage({ remoteConfig: { configHash: Uint8Array.of(9) } })).events).toEqual([]);
    expect(session.received(serverMessage({ remoteConfig: { configHash: new Uint8Array(1_025), config: {} } })).events).toEqual([]);
    expect(session.received(serverMessage({ remoteConfig: { configHash: new Uint8Array(1_024), config: {} } })).events).toHaveLength(1);
  });

  test("is ignored with one warning without the capability", () => {
    const { session, log } = started(1n);
    expect(session.received(serverMessage(offer("", "x"))).events).toEqual([]);
    expect(session.received(serverMessage(offer("", "x"))).events).toEqual([]);
    expect(log.lines).toEqual([
      { level: "warn", message: "Ignoring what the server sent without the capability for it", fields: { field: "remote_config" } },
    ]);
  });

  test("a file named like a property of every object is a file", () => {
    const { session } = started();
    const configMap = Object.fromEntries(["constructor", "b"].map((name) => [name, create(AgentConfigObjectSchema)]));
    const bytes = serverMessage({ remoteConfig: { config: create(AgentConfigMapSchema, { configMap }) } });
    // "constructor" has as many letters as "__proto__" plus two: patched on the wire, as a hostile server would send it.
    const hostile = Buffer.from(Buffer.from(bytes).toString("latin1").replace("constructor", "__proto__\x12\x00"), "latin1");
    const index = hostile.indexOf("__proto__") - 1;
    hostile[index] = 9;
    hostile.set([0x12, 0], index + 10);
    const { events } = session.received(hostile);
    const names = events.flatMap((event) => (event.is === "remote-config-offered" ? event.config.files.map((file) => file.name) : []));
    expect(names.sort()).toEqual(["__proto__", "b"]);
  });
});

describe("identity", () => {
  test("a new uid is an event before the offer in the same message, and the next message is complete under it", () => {
    const { session } = started();
    const { events } = session.received(serverMessage({ agentIdentification: { newInstanceUid: uidToBytes(OTHER_UID) }, ...offer("", "x") }));
    expect(events.map((event) => event.is)).toEqual(["identity-assigned", "remote-config-offered"]);
    expect(events[0]).toEqual({ is: "identity-assigned", instanceUid: OTHER_UID });
    session.tell(reportOf({ instanceUid: OTHER_UID }), 0n);
    const message = session.next(0);
    const decoded = message && decodeMessage(message.bytes);
    expect(decoded && partsOf(decoded)).toEqual(["agentDescription", "health", "effectiveConfig", "remoteConfigStatus"]);
    expect(Buffer.from(decoded?.instanceUid ?? []).toString("hex")).toBe(OTHER_UID.replaceAll("-", ""));
    const id = decoded?.agentDescription?.identifyingAttributes.find((attribute) => attribute.key === "service.instance.id");
    expect(id?.value?.value).toEqual({ case: "stringValue", value: OTHER_UID });
  });

  test.each([
    ["too short", Uint8Array.of(1, 2, 3)],
    ["all zero", new Uint8Array(16)],
    ["equal", uidToBytes(UID)],
  ])("a uid that is %s changes nothing", (_name, newInstanceUid) => {
    const { session } = started();
    expect(session.received(serverMessage({ agentIdentification: { newInstanceUid } }))).toEqual({ events: [], act: GO_ON });
  });

  test("messages for somebody else are ignored whole; those for the old uid are accepted until the new one is in use", () => {
    const { session, log } = started();
    const forOther = serverMessage({ instanceUid: uidToBytes(OTHER_UID), command: {} });
    expect(session.received(forOther).events).toEqual([]);
    expect(log.of("warn")).toEqual(["Ignoring messages for another instance uid"]);
    session.tell(reportOf({ instanceUid: OTHER_UID }), 0n);
    const forOld = serverMessage({ instanceUid: uidToBytes(UID), command: {} });
    expect(session.received(forOld).events).toHaveLength(1);
    expect(session.received(forOther).events).toHaveLength(1);
    expect(session.received(forOld).events).toEqual([]);
  });
});

describe("command", () => {
  test("an empty one is Restart and excludes everything else", () => {
    const { session } = started();
    const { events } = session.received(serverMessage({ command: {}, flags: 1n, ...offer("", "x") }));
    expect(events).toEqual([{ is: "restart-commanded" }]);
    expect(session.next(0)).toBeNull();
  });

  test("of an unknown type does nothing", () => {
    const { session } = started();
    expect(session.received(serverMessage({ command: Object.assign(create(ServerToAgentCommandSchema), { type: 7 }) })).events).toEqual([]);
  });

  test("without the capability only the command is ignored", () => {
    const { session } = started(ALL_BITS & ~0x400n);
    expect(session.received(serverMessage({ command: {}, ...offer("", "x") })).events.map((event) => event.is)).toEqual(["remote-config-offered"]);
  });
});

describe("errors", () => {
  const unavailable = ServerErrorResponseType.ServerErrorResponseType_Unavailable;

  test("UNAVAILABLE means leaving for the time it names, rounded up, whatever else it says", () => {
    const { session } = started();
    const retryInfo = { case: "retryInfo" as const, value: { retryAfterNanoseconds: 2_500_000_001n } };
    const said = session.received(serverMessage({ ...offer("", "x"), errorResponse: { type: unavailable, errorMessage: "full", Details: retryInfo } }));
    expect(said).toEqual({ events: [], act: { do: "leave", retryAfterMs: 2_501, because: "the server is unavailable: full" } });
    expect(session.useful).toBe(false);
  });

  test("UNAVAILABLE without a delay leaves that open", () => {
    const { session } = started();
    expect(session.received(serverMessage({ errorResponse: { type: unavailable } })).act).toMatchObject({ do: "leave", retryAfterMs: null });
  });

  test("an absurd delay does not overflow", () => {
    const { session } = started();
    const retryInfo = { case: "retryInfo" as const, value: { retryAfterNanoseconds: 2n ** 64n - 1n } };
    const { act } = session.received(serverMessage({ errorResponse: { type: unavailable, Details: retryInfo } }));
    expect(act).toMatchObject({ do: "leave", retryAfterMs: 18_446_744_073_710 });
  });

  test.each([0, 1, 99])("type %i goes on, and its message had no effect", (type) => {
    const { session } = started();
    const said = session.received(serverMessage({ ...offer("", "x"), flags: 1n, errorResponse: Object.assign(create(ServerErrorResponseSchema), { type }) }));
    expect(said).toEqual({ events: [], act: GO_ON });
    expect(session.next(0)).toBeNull();
    expect(session.useful).toBe(false);
  });
});

describe("garbage", () => {
  test("is dropped; the third in a row ends the connection, a good one in between does not count it", () => {
    const { session } = started();
    const garbage = new TextEncoder().encode("<html>no</html>");
    expect([session.received(garbage), session.received(garbage)].map(({ act }) => act.do)).toEqual(["skip", "skip"]);
    session.received(serverMessage());
    expect([1, 2, 3].map(() => session.received(garbage).act.do)).toEqual(["skip", "skip", "give-up"]);
  });

  test("no bytes make it throw", () => {
    const { session } = started();
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const valid = serverMessage({ ...offer("a", "b"), flags: 3n, capabilities: 7n, errorResponse: {}, command: {}, connectionSettings: {}, packagesAvailable: {}, customMessage: {} });
    const acts = new Set<string>();
    for (let round = 0; round < 3_000; round++) {
      const bytes = round % 2 === 0 ? Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)) : valid.slice();
      if (round % 2 === 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      acts.add(session.received(bytes).act.do);
    }
    expect([...acts].sort()).toEqual(["give-up", "go-on", "leave", "skip"].filter((act) => acts.has(act)));
    expect(acts.has("go-on") && acts.has("skip")).toBe(true);
  });

  test("groups nested a hundred thousand deep are malformed", () => {
    const { session } = started();
    expect(session.received(new Uint8Array(100_000).fill(0x7b)).act.do).toBe("skip");
  });
});
