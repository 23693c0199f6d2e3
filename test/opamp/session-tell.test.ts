/** What leaves: everything at first, then only what changed, and nothing that did not leave counts as told. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  AgentCapabilities as Bit,
  AvailableComponentsSchema,
  ComponentDetailsSchema,
  ComponentHealthSchema,
  RemoteConfigStatuses,
  ServerErrorResponseType,
} from "../../src/gen/opamp/v1/opamp_pb.js";
import { Session } from "../../src/opamp/session.js";
import { ALL_BITS, decodeMessage, host, LogLines, OTHER_UID, partsOf, reportOf, serverMessage, UID, unhealthy } from "./support.js";

const EVERYTHING = ["agentDescription", "health", "effectiveConfig", "remoteConfigStatus"];

function start(sendBytesMax = 1_000_000): { session: Session; log: LogLines; send: (now?: number) => ReturnType<typeof decodeMessage> | null } {
  const log = new LogLines();
  const session = new Session({ log, sendBytesMax, host: () => host });
  const send = (now = 0): ReturnType<typeof decodeMessage> | null => {
    const draft = session.next(now);
    if (draft !== null) session.sent(draft);
    return draft === null ? null : decodeMessage(draft.bytes);
  };
  session.connected("ws://a/");
  return { session, log, send };
}

describe("first message", () => {
  test("waits for the first report and is complete", () => {
    const { session, send } = start();
    expect(send()).toBeNull();
    session.tell(reportOf(), 77n);
    const message = send();
    expect(message).toMatchObject({ sequenceNum: 0n, capabilities: ALL_BITS, flags: 0n });
    expect(Buffer.from(message?.instanceUid ?? []).toString("hex")).toBe(UID.replaceAll("-", ""));
    expect(message && partsOf(message)).toEqual(EVERYTHING);
    expect(message?.health).toMatchObject({ healthy: true, status: "StatusOK", startTimeUnixNano: 5n, statusTimeUnixNano: 77n });
    expect(message?.remoteConfigStatus).toMatchObject({ status: RemoteConfigStatuses.RemoteConfigStatuses_UNSET, errorMessage: "" });
    expect(Buffer.from(message?.effectiveConfig?.configMap?.configMap[""]?.body ?? []).toString()).toBe("a: 1");
    expect(send()).toBeNull();
  });

  test("has only the parts that are announced", () => {
    const { session, send } = start();
    session.tell(reportOf({ capabilities: 1n }), 0n);
    const message = send();
    expect(message && partsOf(message)).toEqual(["agentDescription"]);
    expect(message?.capabilities).toBe(1n);
  });
});

describe("later messages", () => {
  test("have what changed, whole, under the next number", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.tell(unhealthy("boom"), 5n);
    const message = send();
    expect(message && partsOf(message)).toEqual(["health"]);
    expect(message).toMatchObject({ sequenceNum: 1n, capabilities: ALL_BITS, health: { healthy: false, lastError: "boom", startTimeUnixNano: 0n } });
  });

  test("an equal report in new objects is no change, and neither is a status time", () => {
    const { session, send } = start();
    const tree = (time: bigint, names = ["a", "b"]): Parameters<typeof reportOf>[0] => ({
      health: {
        ...reportOf().health,
        collector: create(ComponentHealthSchema, {
          statusTimeUnixNano: time,
          componentHealthMap: Object.fromEntries(names.map((name) => [name, create(ComponentHealthSchema, { healthy: true, statusTimeUnixNano: time })])),
        }),
      },
    });
    session.tell(reportOf(tree(1n)), 1n);
    expect(send()?.health?.componentHealthMap).toMatchObject({ a: { statusTimeUnixNano: 1n } });
    session.tell(structuredClone(reportOf(tree(2n, ["b", "a"]))), 2n);
    expect(send()).toBeNull();
    session.tell(reportOf(tree(2n, ["a"])), 3n);
    expect(Object.keys(send()?.health?.componentHealthMap ?? {})).toEqual(["a", "supervisor"]);
  });

  test("changes gather until one message takes them; what changed back is not told", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.tell(unhealthy("one"), 0n);
    session.tell(unhealthy("two"), 0n);
    expect(send()?.health?.lastError).toBe("two");
    session.tell(reportOf(), 0n);
    session.tell(unhealthy("two"), 0n);
    expect(send()).toBeNull();
  });

  test("the status of an offer is told with its hash and again when it is repeated", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    const failed = { is: "failed", hash: "00ff", error: "no such receiver" } as const;
    session.tell(reportOf({ remoteConfig: { status: failed, error: failed.error, repeat: 0 } }), 0n);
    const told = send()?.remoteConfigStatus;
    expect(told).toMatchObject({ status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, errorMessage: "no such receiver" });
    expect([...(told?.lastRemoteConfigHash ?? [])]).toEqual([0, 0xff]);
    session.tell(reportOf({ remoteConfig: { status: { ...failed }, error: failed.error, repeat: 0 } }), 0n);
    expect(send()).toBeNull();
    session.tell(reportOf({ remoteConfig: { status: failed, error: failed.error, repeat: 1 } }), 0n);
    expect(send()?.remoteConfigStatus).toEqual(told);
  });

  test("changed capabilities are told although no part changed", () => {
    const { session, send } = start();
    session.tell(reportOf({ capabilities: 1n }), 0n);
    send();
    session.tell(reportOf({ capabilities: 1n | BigInt(Bit.AgentCapabilities_ReportsHeartbeat) }), 0n);
    expect(send()).toMatchObject({ capabilities: 0x2001n });
    expect(send()).toBeNull();
  });
});

describe("a message that did not leave", () => {
  test("takes no number and stays pending", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    const draft = session.next(0);
    if (draft !== null) session.notSent(draft, "unsent");
    const again = send();
    expect(again && partsOf(again)).toEqual(EVERYTHING);
    expect(again?.sequenceNum).toBe(0n);
  });

  test("that may have been seen keeps its number for the same content, and spends it otherwise", () => {
    const { session } = start();
    session.tell(reportOf(), 0n);
    const first = session.next(0);
    if (first !== null) session.notSent(first, "unknown");
    const retry = session.next(0);
    expect(retry?.bytes).toEqual(first?.bytes);
    session.tell(unhealthy("x"), 0n);
    expect(session.next(0)?.number).toBe(1n);
  });

  test("what was told under the old identity is not known under the new one", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    const underWay = session.next(0);
    session.tell(reportOf({ instanceUid: OTHER_UID }), 0n);
    if (underWay !== null) session.sent(underWay);
    const message = send();
    expect(message && partsOf(message)).toEqual(EVERYTHING);
    expect(message?.sequenceNum).toBe(1n);
  });
});

describe("reconnect", () => {
  test("says nothing twice when the last message was answered and the endpoint is the same", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.received(serverMessage());
    session.connected("ws://a/");
    session.tell(unhealthy("x"), 0n);
    const message = send();
    expect(message && partsOf(message)).toEqual(["health"]);
    session.received(serverMessage());
    session.connected("ws://a/");
    const bare = send();
    expect(bare && partsOf(bare)).toEqual([]);
    expect(bare?.sequenceNum).toBe(2n);
  });

  test.each([
    ["the last message was not answered", "ws://a/", false],
    ["the endpoint is another one", "ws://b/", true],
  ])("is complete when %s", (_name, endpoint, answered) => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    if (answered) session.received(serverMessage());
    session.connected(endpoint);
    const message = send();
    expect(message && partsOf(message)).toEqual(EVERYTHING);
  });

  test("a heartbeat that was not answered makes it complete as well", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.received(serverMessage());
    const beat = session.heartbeat();
    expect(beat && partsOf(decodeMessage(beat.bytes))).toEqual([]);
    if (beat !== null) session.sent(beat);
    session.connected("ws://a/");
    const message = send();
    expect(message && partsOf(message)).toEqual(EVERYTHING);
  });
});

describe("what the server lacks", () => {
  test("is not sent once its capabilities are known; a later 0 changes nothing, a new connection does", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.received(serverMessage({ capabilities: 3n }));
    session.received(serverMessage());
    const changed = [{ name: "", body: new TextEncoder().encode("b: 2"), contentType: "text/yaml" }];
    session.tell(reportOf({ effectiveConfig: changed }), 0n);
    expect(send()).toBeNull();
    session.connected("ws://a/");
    const message = send();
    expect(message && partsOf(message)).toEqual(["effectiveConfig"]);
  });
});

describe("components", () => {
  const components = create(AvailableComponentsSchema, {
    hash: Uint8Array.of(1, 2),
    components: { receivers: create(ComponentDetailsSchema) },
  });

  test("go as their hash, and as the map when asked", () => {
    const { session, send } = start();
    session.tell(reportOf({ components }), 0n);
    expect(send()?.availableComponents).toMatchObject({ hash: Uint8Array.of(1, 2), components: {} });
    session.received(serverMessage({ flags: 2n }));
    const asked = send();
    expect(asked && partsOf(asked)).toEqual(["availableComponents"]);
    expect(Object.keys(asked?.availableComponents?.components ?? {})).toEqual(["receivers"]);
    session.received(serverMessage({ flags: 1n }));
    const full = send();
    expect(full && partsOf(full)).toEqual([...EVERYTHING, "availableComponents"]);
    expect(full?.availableComponents?.components).toEqual({});
  });

  test("asked for before they are known, the map follows as soon as it is", () => {
    const { session, send } = start();
    session.tell(reportOf(), 0n);
    send();
    session.received(serverMessage({ flags: 2n }));
    expect(send()).toBeNull();
    session.tell(reportOf({ components }), 0n);
    expect(Object.keys(send()?.availableComponents?.components ?? {})).toEqual(["receivers"]);
  });
});

describe("full state on request", () => {
  test("is granted three times at once, then once a second", () => {
    const { session, send, log } = start();
    session.tell(reportOf(), 0n);
    send(0);
    const ask = (now: number): boolean => {
      session.received(serverMessage({ flags: 1n }));
      return send(now) !== null;
    };
    expect([ask(0), ask(0), ask(0), ask(0), ask(0)]).toEqual([true, true, true, false, false]);
    expect(session.heldBackMs(0)).toBe(1_000);
    expect(send(999)).toBeNull();
    expect(send(1_000) && session.heldBackMs(1_000)).toBeNull();
    expect(log.of("warn")).toEqual(["Server asks for the full state too often, answering once a second"]);
  });
});

describe("a status that changes at wire speed", () => {
  test("is told a hundred times at once, then five times a second, always the newest", () => {
    const { session, send, log } = start();
    const told: boolean[] = [];
    const status = (count: number): Parameters<typeof reportOf>[0] => ({ remoteConfig: { status: { is: "applying", hash: count.toString(16).padStart(4, "0"), error: "" }, error: "", repeat: 0 } });
    for (let count = 0; count < 103; count++) {
      session.tell(reportOf(status(count)), 0n);
      told.push(send(0) !== null);
      session.received(serverMessage({}));
    }
    expect(told.filter(Boolean)).toHaveLength(100);
    expect(told.slice(100)).toEqual([false, false, false]);
    expect(session.heldBackMs(0)).toBe(200);
    expect(send(199)).toBeNull();
    // The clock went on between the two questions.
    expect(session.heldBackMs(200)).toBe(0);
    expect(Buffer.from(send(200)?.remoteConfigStatus?.lastRemoteConfigHash ?? []).toString("hex")).toBe("0066");
    expect(log.of("warn")).toEqual(["Status changes too often, sending less often"]);
  });
});

describe("refused content", () => {
  test("is not sent again until it changes or the full state is asked for", () => {
    const { session, send, log } = start();
    session.tell(reportOf(), 0n);
    send();
    session.received(serverMessage());
    session.tell(unhealthy("\u0000"), 0n);
    send();
    session.received(serverMessage({ errorResponse: { type: ServerErrorResponseType.ServerErrorResponseType_BadRequest, errorMessage: "bad text" } }));
    expect(log.lines.at(-1)).toEqual({ level: "error", message: "Server refuses a message", fields: { error: "bad text" } });
    session.connected("ws://b/");
    const rest = send();
    expect(rest && partsOf(rest)).toEqual(["agentDescription", "effectiveConfig", "remoteConfigStatus"]);
    session.received(serverMessage({ flags: 1n }));
    const full = send();
    expect(full && partsOf(full)).toContain("health");
    session.tell(unhealthy("better"), 0n);
    expect(send()?.health?.lastError).toBe("better");
  });
});

describe("a message over the limit", () => {
  test("leaves without its largest part, which is kept back until it changes", () => {
    const { session, send, log } = start(2_000);
    const big = [{ name: "", body: new Uint8Array(5_000), contentType: "" }];
    session.tell(reportOf({ effectiveConfig: big }), 0n);
    const message = send();
    expect(message && partsOf(message)).toEqual(["agentDescription", "health", "remoteConfigStatus"]);
    session.connected("ws://b/");
    send();
    expect(log.of("error")).toEqual(["Part of the status is too large to be sent, leaving it out until it changes"]);
    session.tell(reportOf(), 0n);
    const changed = send();
    expect(changed && partsOf(changed)).toEqual(["effectiveConfig"]);
  });

  test("that the server finds too large is sent without its largest part, and never the same again", () => {
    const { session, send } = start();
    session.tell(reportOf({ effectiveConfig: [{ name: "", body: new Uint8Array(5_000), contentType: "" }] }), 0n);
    const seen: string[][] = [];
    for (let round = 0; round < 5; round++) {
      const draft = session.next(0);
      if (draft === null) break;
      seen.push(partsOf(decodeMessage(draft.bytes)));
      session.notSent(draft, "declined");
      session.tooLarge(draft, "HTTP 413");
    }
    expect(seen).toEqual([EVERYTHING, ["agentDescription", "health", "remoteConfigStatus"], ["agentDescription", "remoteConfigStatus"]]);
    expect(send()).toBeNull();
  });
});

describe("the last message", () => {
  test("has what is pending and the word that the agent goes", () => {
    const { session, send } = start();
    expect(session.disconnect()).toBeNull();
    session.tell(reportOf(), 0n);
    send();
    session.tell(unhealthy("the supervisor is shut down"), 0n);
    const draft = session.disconnect();
    const message = draft && decodeMessage(draft.bytes);
    expect(message && partsOf(message)).toEqual(["health", "agentDisconnect"]);
    expect(message?.sequenceNum).toBe(1n);
  });
});

test("the supervisor's own part of the health tree tells of connections that were lost", () => {
  const { session, send } = start();
  const connection = (losses: number, lossError: string): unknown => {
    session.tell(reportOf({ health: { ...reportOf().health, losses, lossError } }), 0n);
    return send()?.health?.componentHealthMap["supervisor"]?.componentHealthMap["connection"];
  };
  expect(connection(0, "")).toMatchObject({ healthy: true, status: "connected", lastError: "" });
  expect(connection(2, "closed (1006)")).toMatchObject({ healthy: true, status: "connected again, lost 2 times", lastError: "closed (1006)" });
});

test("the supervisor's own part of the health tree says when the storage cannot be written", () => {
  const { session, send } = start();
  const health = { ...reportOf().health, storageError: "no space left on device", process: "held", rollout: "on probation" };
  session.tell(reportOf({ health }), 1n);
  expect(send()?.health?.componentHealthMap["supervisor"]).toMatchObject({
    healthy: false,
    lastError: "the storage directory cannot be written",
    componentHealthMap: {
      process: { healthy: false, status: "held" },
      rollout: { healthy: true, status: "on probation" },
      storage: { healthy: false, status: "failing", lastError: "no space left on device" },
    },
  });
});
