/** One WebSocket connection to the OpAMP server; failures in the words of the real extension's client. */
import { fromBinary, toBinary, type MessageShape } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { WebSocket, type ClientOptions } from "ws";
import { ServerToAgentSchema, AgentToServerSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { IDENTITY } from "./identity.js";

type AgentToServer = MessageShape<typeof AgentToServerSchema>;
type ServerToAgent = MessageShape<typeof ServerToAgentSchema>;

export interface Target {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly caFile: string | null;
  readonly skipVerify: boolean;
}

export interface Connection {
  send(message: AgentToServer): void;
  /** Says goodbye; `closed` resolves once the other side has answered. */
  close(): void;
  terminate(): void;
  /** Resolves with the reason once the connection is gone. */
  readonly closed: Promise<string>;
}

export type Connected = { readonly ok: true; readonly connection: Connection } | { readonly ok: false; readonly error: string; readonly retryAfterMs: number };

const HANDSHAKE_MS_MAX = 45_000;
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export async function connect(target: Target, onMessage: (message: ServerToAgent) => void): Promise<Connected> {
  if (!/^wss?:\/\/./.test(target.endpoint)) return { ok: false, error: "malformed ws or wss URL", retryAfterMs: 0 };
  return await new Promise<Connected>((resolve) => {
    const socket = new WebSocket(target.endpoint, options(target));
    socket.binaryType = "nodebuffer";
    let broken = "websocket: close 1006 (abnormal closure): unexpected EOF";
    socket.on("error", (error) => {
      broken = error.message;
      resolve({ ok: false, error: dialText(error), retryAfterMs: 0 });
    });
    socket.on("unexpected-response", (request, response) => {
      const seconds = [429, 503].includes(response.statusCode ?? 0) ? Number(response.headers["retry-after"] ?? 0) : 0;
      request.destroy();
      resolve({ ok: false, error: "websocket: bad handshake", retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : 0 });
    });
    const closed = new Promise<string>((ended) => {
      socket.on("close", (code) => ended(code === 1006 ? broken : `websocket: close ${code}`));
    });
    socket.on("message", (data: Buffer, binary) => {
      const message = binary ? decode(data) : null;
      if (message === null) socket.terminate();
      else onMessage(message);
    });
    socket.on("open", () => {
      const send = (message: AgentToServer): void => socket.send(Buffer.concat([Buffer.of(0), toBinary(AgentToServerSchema, message)]));
      resolve({ ok: true, connection: { send, close: () => socket.close(), terminate: () => socket.terminate(), closed } });
    });
  });
}

function options(target: Target): ClientOptions {
  return {
    headers: { "User-Agent": IDENTITY.command, ...target.headers },
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS_MAX,
    maxPayload: MESSAGE_BYTES_MAX,
    rejectUnauthorized: !target.skipVerify,
    ...(target.caFile === null ? {} : { ca: readFileSync(target.caFile) }),
  };
}

function decode(data: Buffer): ServerToAgent | null {
  try {
    return fromBinary(ServerToAgentSchema, data[0] === 0 ? data.subarray(1) : data);
  } catch {
    return null;
  }
}

function dialText(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const where = `${error.address ?? ""}:${error.port ?? ""}`;
  if (error.code === "ECONNREFUSED") return `dial tcp ${where}: connect: connection refused`;
  if (error.code === "ECONNRESET") return "read tcp: connection reset by peer";
  return error.message;
}
