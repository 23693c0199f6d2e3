/**
 * The smallest OpAMP server that can witness a session: it writes down what arrives on each link and asks, when told to,
 * for the full list of components. It decides nothing, so that a transcript shows the client and not the server.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { AddressInfo } from "node:net";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { AgentToServerSchema, ServerToAgentSchema, type AgentToServer } from "../../../src/gen/opamp/v1/opamp_pb.js";

export interface Link {
  readonly headers: IncomingHttpHeaders;
  readonly messages: AgentToServer[];
  /** Sends flags, e.g. 1 for the full state and 2 for the list of components. */
  ask(flags: bigint): void;
  /** Cuts the connection without a closing handshake. */
  cut(): void;
  closed: boolean;
}

export interface OpampListener {
  readonly endpoint: string;
  readonly links: Link[];
  /** Called after each message, opened link and closed link. */
  onNews: () => void;
  stop(): Promise<void>;
}

export async function listenForOpamp(): Promise<OpampListener> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: "/v1/opamp" });
  const links: Link[] = [];
  await new Promise<void>((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });
  const { port } = http.address() as AddressInfo;
  const listener: OpampListener = {
    endpoint: `ws://127.0.0.1:${port}/v1/opamp`,
    links,
    onNews: () => undefined,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
  sockets.on("connection", (socket, request) => {
    const link = openLink(socket, request.headers, () => listener.onNews());
    links.push(link);
    listener.onNews();
  });
  return listener;
}

function openLink(socket: WebSocket, headers: IncomingHttpHeaders, news: () => void): Link {
  const messages: AgentToServer[] = [];
  const send = (flags: bigint): void => {
    const answer = create(ServerToAgentSchema, { instanceUid: messages.at(-1)?.instanceUid ?? new Uint8Array(), flags });
    socket.send(Buffer.concat([Buffer.of(0), toBinary(ServerToAgentSchema, answer)]));
  };
  const link: Link = { headers, messages, ask: send, cut: () => socket.terminate(), closed: false };
  socket.on("error", () => undefined);
  socket.on("close", () => {
    link.closed = true;
    news();
  });
  socket.on("message", (data: Buffer) => {
    messages.push(fromBinary(AgentToServerSchema, data.subarray(1)));
    send(0n);
    news();
  });
  return link;
}
