/** An extension server on a free port, and clients of both kinds: the Collector's extension, and everybody else. */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { Event } from "../../src/core/event.js";
import { AgentToServerSchema, ServerToAgentSchema, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock, type Clock } from "../../src/lib/clock.js";
import { ExtensionServer } from "../../src/opamp/extension.js";
import { decodeFrame, encodeFrame } from "../../src/opamp/frame.js";
import { LinesLogger } from "../collector/support.js";

export async function extensionServer(clock: Clock = systemClock) {
  const events: Event[] = [];
  const log = new LinesLogger();
  const server = new ExtensionServer({ clock, log, port: 0, onEvent: (event) => events.push(event) });
  const port = await server.listen();
  onTestFinished(() => server.close());
  return { clock, events, log, port, server };
}

export interface Extension {
  readonly socket: WebSocket;
  /** What the server answered so far. */
  readonly answers: ServerToAgent[];
  readonly say: (message: MessageInitShape<typeof AgentToServerSchema>) => void;
  /** Settles when the connection has ended. */
  readonly closed: Promise<void>;
}

/** Rejects with the HTTP status when the handshake is refused. */
export async function connectExtension(port: number, headers: Record<string, string>, path = "/v1/opamp"): Promise<Extension> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  const answers: ServerToAgent[] = [];
  socket.on("message", (data) => {
    const frame = decodeFrame(data as Buffer);
    if (frame.is === "data") answers.push(fromBinary(ServerToAgentSchema, frame.data));
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => {
      socket.on("error", () => undefined);
      resolve();
    });
    socket.once("error", reject);
  });
  return { socket, answers, closed, say: (message) => socket.send(encodeFrame(toBinary(AgentToServerSchema, create(AgentToServerSchema, message)))) };
}

/** A plain TCP client, with all that it receives. */
export function stranger(port: number): { socket: Socket; received: () => string; closed: Promise<void> } {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return { socket, received: () => text, closed: new Promise((resolve) => socket.once("close", () => resolve())) };
}
