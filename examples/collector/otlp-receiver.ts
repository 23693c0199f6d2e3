/** The `otlp` receiver: OTLP/HTTP is served, and counted; the gRPC port is opened and every call on it is cut. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { systemClock } from "../../src/lib/clock.js";
import type { Consume } from "./batch.js";
import type { Signal } from "./catalog.js";
import { countOtlp } from "./count-otlp.js";
import type { ComponentLog, Part } from "./extension.js";
import { closeServer, listen } from "./listen.js";
import type { ConfigMap } from "./value.js";
import { mapAt, textAt } from "./settings.js";

const BODY_BYTES_MAX = 20 * 1024 * 1024;
const DRAIN_MS_MAX = 1_000;

/** @param consumers by signal; the path of a signal that no pipeline wants does not exist. */
export function otlpReceiver(id: string, settings: ConfigMap, consumers: ReadonlyMap<Signal, Consume>, log: ComponentLog): Part {
  const protocols = mapAt(settings, "protocols");
  const grpc = protocols.get("grpc") instanceof Map ? mapAt(protocols, "grpc") : null;
  const http = protocols.get("http") instanceof Map ? mapAt(protocols, "http") : null;
  const paths = new Map(
    (["logs", "metrics", "traces"] as const).flatMap((signal) => {
      const consume = consumers.get(signal);
      return consume === undefined || http === null ? [] : [[textAt(http, `${signal}_url_path`), { signal, consume }] as const];
    }),
  );
  const httpServer = createHttpServer((request, response) => void answer(request, response, paths));
  const grpcServer = createTcpServer((socket) => socket.destroy());
  return {
    id,
    async start() {
      if (grpc !== null) {
        const listening = await listen(grpcServer, textAt(grpc, "endpoint"));
        if (!listening.ok) return listening.error;
        log("info", "Starting GRPC server", { endpoint: listening.address });
        log("warn", "Stand-in opens the gRPC port but does not serve it");
      }
      if (http === null) return null;
      const listening = await listen(httpServer, textAt(http, "endpoint"));
      if (!listening.ok) return listening.error;
      log("info", "Starting HTTP server", { endpoint: listening.address });
      return null;
    },
    async stop() {
      await Promise.all([grpc === null ? null : closeServer(grpcServer), http === null ? null : drain(httpServer)]);
    },
  };
}

/** Requests that have begun are answered. */
async function drain(server: Server): Promise<void> {
  const cancel = systemClock.after(DRAIN_MS_MAX, () => server.closeAllConnections());
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  cancel();
}

type Paths = ReadonlyMap<string, { readonly signal: Signal; readonly consume: Consume }>;

async function answer(request: IncomingMessage, response: ServerResponse, paths: Paths): Promise<void> {
  const target = paths.get(request.url?.split("?", 1)[0] ?? "");
  if (target === undefined) return reply(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
  if (request.method !== "POST") return reply(response, 405, "text/plain", "405 method not allowed, supported: [POST]");
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0] ?? "";
  if (type !== "application/json" && type !== "application/x-protobuf") {
    return reply(response, 415, "text/plain", "415 unsupported media type, supported: [application/json, application/x-protobuf]");
  }
  const json = type === "application/json";
  const body = await readBody(request).catch(() => null);
  const batch = body === null ? null : countOtlp(target.signal, body, json);
  if (batch === null) return reply(response, 400, type, json ? JSON.stringify({ code: 3, message: "stand-in: the body is not an export request" }) : "");
  target.consume(batch);
  reply(response, 200, type, json ? '{"partialSuccess":{}}' : "");
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_BYTES_MAX) throw new RangeError("body too large");
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks);
  if (request.headers["content-encoding"] !== "gzip") return body;
  const { gunzipSync } = await import("node:zlib");
  return gunzipSync(body, { maxOutputLength: BODY_BYTES_MAX });
}
