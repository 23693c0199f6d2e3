/** An agent that says exactly what a test tells it to, over WebSocket or plain HTTP, and hands back what it hears. */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { WebSocket } from "ws";
import { uidBytes } from "../../../examples/server/instance-uid.js";
import { AgentToServerSchema, ServerToAgentSchema, type AgentToServer, type ServerToAgent } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { Mailbox } from "../../../src/lib/mailbox.js";
import type { TestServer } from "../../support/opamp-server.js";

export const UID = "01900000-0000-7000-8000-00000000000a";
type Init = Exclude<MessageInitShape<typeof AgentToServerSchema>, AgentToServer>;
/** What a message shall hold; undefined fields are left out. */
export type Said = { [Field in keyof Init]?: Init[Field] | undefined };

/** ReportsStatus, AcceptsRemoteConfig, ReportsEffectiveConfig, AcceptsRestartCommand, ReportsHealth, ReportsRemoteConfig, ReportsHeartbeat. */
export const CAPABILITIES = 0x1n | 0x2n | 0x4n | 0x400n | 0x800n | 0x1000n | 0x2000n;

/** A complete first message. */
export function firstMessage(changes: Said = {}): Said {
  const text = (key: string, value: string) => ({ key, value: { value: { case: "stringValue" as const, value } } });
  return {
    instanceUid: uidBytes(UID),
    capabilities: CAPABILITIES,
    agentDescription: {
      identifyingAttributes: [text("service.name", "otelcol"), text("service.version", "1.2.3")],
      nonIdentifyingAttributes: [text("host.name", "box")],
    },
    health: { healthy: true, status: "StatusOK" },
    effectiveConfig: { configMap: { configMap: { "": { body: new TextEncoder().encode("receivers: {}\n") } } } },
    remoteConfigStatus: {},
    ...changes,
  };
}

export interface ScriptedAgent {
  /** Sends with the next sequence number and waits for one answer. */
  ask(said: Said): Promise<ServerToAgent>;
  send(said: Said): void;
  /** What the server says next, asked for or not. */
  hear(): Promise<ServerToAgent>;
  close(): Promise<void>;
}

export interface WebSocketAgent extends ScriptedAgent {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
}

export async function webSocketAgent(server: Pick<TestServer, "webSocketUrl" | "caPem">, sequence = 0n): Promise<WebSocketAgent> {
  const socket = new WebSocket(server.webSocketUrl, server.caPem === null ? {} : { ca: server.caPem });
  const heard = new Mailbox<ServerToAgent>();
  socket.on("message", (data: Buffer) => {
    if (data[0] === 0) heard.post(fromBinary(ServerToAgentSchema, new Uint8Array(data.subarray(1))));
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  let next = sequence;
  const send = (said: Said): void => socket.send(Buffer.concat([Buffer.from([0]), encode(said, next++)]));
  const hear = async (): Promise<ServerToAgent> => {
    await heard.arrival();
    return heard.take() ?? hear();
  };
  return {
    socket,
    closed,
    send,
    hear,
    ask: (said) => {
      send(said);
      return hear();
    },
    async close() {
      socket.terminate();
      await closed;
    },
  };
}

export function httpAgent(server: Pick<TestServer, "httpUrl">, sequence = 0n): ScriptedAgent {
  let next = sequence;
  const ask = async (said: Said): Promise<ServerToAgent> => {
    const response = await post(server.httpUrl, encode(said, next++));
    return fromBinary(ServerToAgentSchema, new Uint8Array(await response.arrayBuffer()));
  };
  return {
    ask,
    send: (said) => void ask(said),
    hear: () => Promise.reject(new Error("nothing comes unasked over plain HTTP")),
    close: () => Promise.resolve(),
  };
}

export function post(url: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": "application/x-protobuf", ...headers }, body: Buffer.from(body) });
}

export function encode(said: Said, sequence = 0n): Uint8Array {
  return toBinary(AgentToServerSchema, create(AgentToServerSchema, { instanceUid: uidBytes(UID), sequenceNum: sequence, ...said } as Init));
}
