/** OpAMP over plain HTTP: a POST with the message, its response with the answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { AgentToServerSchema, ServerToAgentSchema, type AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Clock } from "../../src/lib/clock.js";
import { messageOf } from "../../src/lib/error.js";
import type { Agent, Link } from "./agent.js";
import type { BadModes } from "./bad-mode.js";
import type { Delivery } from "./delivery.js";
import { exchange, refuse } from "./exchange.js";
import type { Fleet } from "./fleet.js";
import { readBody } from "./read-body.js";
import { Refused } from "./refused.js";

export interface HttpOptions {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly modes: BadModes;
  readonly messageBytesMax: number;
  readonly nextLinkId: () => number;
}

export const OPAMP_CONTENT_TYPE = "application/x-protobuf";
/** Smaller answers are not worth compressing. */
const GZIP_BYTES_MIN = 1_024;

export async function answerPost(request: IncomingMessage, response: ServerResponse, options: HttpOptions): Promise<void> {
  const { fleet, modes } = options;
  const link: Link = {
    id: options.nextLinkId(),
    transport: "http",
    address: request.socket.remoteAddress ?? "",
    push: () => false,
  };
  let body: Buffer;
  try {
    body = await readBody(request, options.messageBytesMax);
  } catch (error) {
    if (!(error instanceof Refused)) return; // The client went away while sending.
    fleet.tell({ is: "malformed", address: link.address, why: error.message });
    // The rest of the body is still on its way: the connection cannot be used again.
    response.writeHead(error.status, { "content-type": "text/plain", connection: "close" }).end(`${error.message}\n`);
    return;
  }
  const message = parse(body);
  if (typeof message === "string") return deliver(request, response, options, null, refuse(fleet, link, message), 400);
  const { agent, delivery } = exchange(fleet, modes, link, message, body.length);
  deliver(request, response, options, agent, delivery, 200);
}

function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
  agent: Agent | null,
  delivery: Delivery,
  status: number,
): void {
  switch (delivery.do) {
    case "cut":
      request.socket.destroy();
      return;
    case "say-nothing":
      return;
    case "send-bytes":
      response.writeHead(status, { "content-type": OPAMP_CONTENT_TYPE }).end(delivery.bytes.subarray(1));
      return;
    case "send-text":
      response.writeHead(status, { "content-type": "text/html" }).end(delivery.text);
      return;
    case "send": {
      const send = (): void => sendMessage(request, response, options, agent, delivery, status);
      if (delivery.delayMs === 0) send();
      else options.clock.after(delivery.delayMs, send);
    }
  }
}

function sendMessage(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
  agent: Agent | null,
  delivery: Extract<Delivery, { do: "send" }>,
  status: number,
): void {
  if (response.destroyed) return;
  const bytes = toBinary(ServerToAgentSchema, delivery.message);
  if (bytes.length > options.messageBytesMax && delivery.message.customMessage === undefined) {
    options.fleet.misbehaved(agent, `an answer of ${bytes.length} bytes was not sent: the limit is ${options.messageBytesMax}`);
    response.writeHead(500, { "content-type": "text/plain" }).end("the answer is larger than the limit\n");
    return;
  }
  const isZipped = bytes.length >= GZIP_BYTES_MIN && acceptsGzip(request.headers["accept-encoding"]);
  response.writeHead(status, {
    "content-type": OPAMP_CONTENT_TYPE,
    ...(isZipped ? { "content-encoding": "gzip" } : {}),
    ...(delivery.thenClose ? { connection: "close" } : {}),
  });
  response.end(isZipped ? gzipSync(bytes) : bytes);
  if (agent !== null) options.fleet.sent(agent, delivery.message, bytes.length);
}

/** A text says what is malformed. */
function parse(bytes: Uint8Array): AgentToServer | string {
  try {
    return fromBinary(AgentToServerSchema, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    return `malformed message: ${messageOf(error)}`;
  }
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return [header ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .some((part) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(part));
}
