/**
 * The supervisor's own health check: `/health` and nothing else. It tells whether the supervisor itself works, not the
 * Collector or the link to the server, so that a monitor does not restart it for something a restart cannot mend.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SupervisorError } from "./lib/error.js";
import type { Logger } from "./lib/log.js";

const HEADERS_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
/** A monitor needs one; the rest is somebody who leaves connections open. */
const CONNECTIONS_MAX = 100;

export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface Healthcheck {
  readonly port: number;
  /** Ends open connections too; may be called twice. */
  close(): Promise<void>;
}

/** Rejects with a `SupervisorError` when it cannot listen. `host` "" means every address, `port` 0 any free one. */
export async function startHealthcheck(
  address: { readonly host: string; readonly port: number },
  isReady: () => Readiness,
  log: Logger,
): Promise<Healthcheck> {
  const server = createServer((request, response) => answer(request, response, isReady));
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = IDLE_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, address);
  server.on("error", (error) => log.warn("Health check failed", { error }));
  const { port } = server.address() as AddressInfo;
  log.info("Health check listening", { host: address.host, port });
  return { port, close: () => close(server) };
}

function answer(request: IncomingMessage, response: ServerResponse, isReady: () => Readiness): void {
  const path = (request.url ?? "").split("?", 1)[0];
  // Nobody has a reason to send a body; unread, it must not be taken for the next request.
  if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined) {
    response.setHeader("Connection", "close");
  }
  if (path !== "/health") {
    plain(response, 404, "404 page not found");
    return;
  }
  const readiness = isReady();
  if (readiness.ok) response.writeHead(200, { "Content-Length": 0 }).end();
  else plain(response, 503, readiness.reason);
}

function plain(response: ServerResponse, status: number, text: string): void {
  const headers = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" };
  response.writeHead(status, headers).end(`${text}\n`);
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(error, host, port));
    server.once("error", onError);
    server.listen(host === "" ? { port } : { host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function listenError(error: Error, host: string, port: number): SupervisorError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const remedy = REMEDIES.get(code) ?? `the system says ${code}`;
  const where = host === "" ? "" : ` of ${host}`;
  return new SupervisorError("settings", `failed to listen on port ${port}${where} for the health check: ${remedy}`, { cause: error });
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "another process uses it; choose another port in healthcheck.endpoint, or stop that process"],
  ["EACCES", "permission denied; choose a port from 1024 up in healthcheck.endpoint"],
  ["EADDRNOTAVAIL", "this host has no such address; correct the host in healthcheck.endpoint"],
  ["ENOTFOUND", "the host name is unknown; correct the host in healthcheck.endpoint"],
  ["EAI_AGAIN", "the host name cannot be resolved now; write an IP address in healthcheck.endpoint"],
]);

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // An error here means that it is closed already, which is what was asked for.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
