/** OpAMP over WebSocket: one binary message each way, header first. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { AgentToServerSchema, ServerToAgentSchema, type AgentToServer, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Clock } from "../../src/lib/clock.js";
import { messageOf } from "../../src/lib/error.js";
import type { Agent, Link } from "./agent.js";
import type { BadModes } from "./bad-mode.js";
import type { Delivery } from "./delivery.js";
import { exchange, refuse } from "./exchange.js";
import type { Fleet } from "./fleet.js";
import { frame, unframe } from "./frame.js";

export interface WebSocketOptions {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly modes: BadModes;
  readonly messageBytesMax: number;
  readonly compresses: boolean;
  readonly pingMs: number;
  readonly nextLinkId: () => number;
}

const CLOSE_GRACE_MS = 1_000;

export class OpampWebSockets {
  readonly #options: WebSocketOptions;
  readonly #server: WebSocketServer;
  readonly #unanswered = new Set<WebSocket>();
  #stopPings: () => void = () => undefined;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: options.messageBytesMax,
      perMessageDeflate: options.compresses,
    });
    this.#schedulePings();
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request));
  }

  /** Cuts all connections without a Close frame. */
  cutAll(): void {
    for (const webSocket of this.#server.clients) webSocket.terminate();
  }

  /** Says goodbye, then cuts. */
  async close(): Promise<void> {
    this.#stopPings();
    const closed = [...this.#server.clients].map((webSocket) => new Promise((resolve) => webSocket.once("close", resolve)));
    for (const webSocket of this.#server.clients) webSocket.close(1001, "the server is stopping");
    const cancel = this.#options.clock.after(CLOSE_GRACE_MS, () => this.cutAll());
    await Promise.all(closed);
    cancel();
    this.#server.close();
  }

  #accept(webSocket: WebSocket, request: IncomingMessage): void {
    const { fleet, nextLinkId } = this.#options;
    const link: Link = {
      id: nextLinkId(),
      transport: "websocket",
      address: request.socket.remoteAddress ?? "",
      push: (message) => this.#send(webSocket, message, null),
    };
    let failure = "";
    webSocket.on("error", (error) => (failure = messageOf(error)));
    webSocket.on("pong", () => this.#unanswered.delete(webSocket));
    webSocket.on("message", (data, isBinary) => this.#receive(webSocket, link, data, isBinary));
    webSocket.on("close", (code, reason) => {
      this.#unanswered.delete(webSocket);
      if (failure !== "") fleet.tell({ is: "malformed", address: link.address, why: failure });
      const words = reason.length > 0 ? `: ${reason.toString()}` : "";
      fleet.linkClosed(link, failure === "" ? `its connection closed (code ${code}${words})` : `its connection failed: ${failure}`);
    });
  }

  #receive(webSocket: WebSocket, link: Link, data: RawData, isBinary: boolean): void {
    const { fleet, modes } = this.#options;
    const buffer = data as Buffer;
    // Not a Buffer, or every field of bytes in the message would be one, with its own ideas of slicing and printing.
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    const message = isBinary ? parse(bytes) : "a text frame is not an OpAMP message";
    if (typeof message === "string") return this.#deliver(webSocket, null, refuse(fleet, link, message));
    const { agent, delivery } = exchange(fleet, modes, link, message, bytes.length);
    this.#deliver(webSocket, agent, delivery);
  }

  #deliver(webSocket: WebSocket, agent: Agent | null, delivery: Delivery): void {
    switch (delivery.do) {
      case "cut":
        return webSocket.terminate();
      case "say-nothing":
        return;
      case "send-bytes":
        return webSocket.send(delivery.bytes);
      case "send-text":
        return webSocket.send(delivery.text);
      case "send": {
        const send = (): void => {
          this.#send(webSocket, delivery.message, agent);
          if (delivery.thenClose) webSocket.close(1000, "hanging up on purpose");
        };
        if (delivery.delayMs === 0) send();
        else this.#options.clock.after(delivery.delayMs, send);
      }
    }
  }

  #send(webSocket: WebSocket, message: ServerToAgent, agent: Agent | null): boolean {
    if (webSocket.readyState !== webSocket.OPEN) return false;
    const bytes = frame(toBinary(ServerToAgentSchema, message));
    const isPadded = message.customMessage !== undefined;
    if (bytes.length > this.#options.messageBytesMax && !isPadded) {
      this.#options.fleet.misbehaved(agent, `an answer of ${bytes.length} bytes was not sent: the limit is ${this.#options.messageBytesMax}`);
      return false;
    }
    webSocket.send(bytes);
    if (agent !== null) this.#options.fleet.sent(agent, message, bytes.length);
    return true;
  }

  /** A ping for each interval; who did not answer the last one is dead. */
  #schedulePings(): void {
    this.#stopPings = this.#options.clock.after(this.#options.pingMs, () => {
      for (const webSocket of this.#server.clients) {
        if (this.#unanswered.has(webSocket)) webSocket.terminate();
        else {
          this.#unanswered.add(webSocket);
          webSocket.ping();
        }
      }
      this.#schedulePings();
    });
  }
}

/** A text says what is malformed. */
function parse(bytes: Uint8Array): AgentToServer | string {
  try {
    return fromBinary(AgentToServerSchema, unframe(bytes));
  } catch (error) {
    return `malformed message: ${messageOf(error)}`;
  }
}
