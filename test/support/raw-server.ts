/**
 * A scripted server for tests of the client: WebSocket and plain HTTP on one free port of 127.0.0.1. It sees and sends
 * raw bytes and does nothing by itself, so that a test can be as rude as it likes.
 */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";

/** What happened, in order; a test takes one at a time and waits for what has not happened yet. */
export class Arrivals<T> {
  readonly all: T[] = [];
  #taken = 0;
  #wake: (() => void)[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#wake.splice(0)) wake();
  }

  async next(): Promise<T> {
    for (;;) {
      const item = this.all[this.#taken];
      if (item !== undefined) {
        this.#taken++;
        return item;
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}

export class RawLink {
  readonly received = new Arrivals<Buffer>();
  readonly closed: Promise<{ readonly code: number }>;
  readonly request: IncomingMessage;
  readonly webSocket: WebSocket;

  constructor(webSocket: WebSocket, request: IncomingMessage) {
    this.webSocket = webSocket;
    this.request = request;
    webSocket.on("error", () => undefined);
    webSocket.on("message", (data) => this.received.push(data as Buffer));
    this.closed = new Promise((resolve) => webSocket.on("close", (code) => resolve({ code })));
  }

  send(bytes: Uint8Array): void {
    this.webSocket.send(bytes, { binary: true });
  }
}

export interface RawRequest {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly answer: (status: number, body?: Uint8Array | string, headers?: Record<string, string>) => void;
  readonly response: ServerResponse;
}

export class RawServer {
  readonly links = new Arrivals<RawLink>();
  readonly requests = new Arrivals<RawRequest>();
  /** Every TCP connection, before anything was read from it. */
  readonly sockets = new Arrivals<Duplex>();
  /** Set to take a TCP connection away from the server: drop it, keep it silent, answer garbage. */
  onSocket: ((socket: Duplex) => void) | null = null;
  /** Set to answer the upgrade by hand: 503, redirect, never. */
  onUpgrade: ((request: IncomingMessage, socket: Duplex) => void) | null = null;
  readonly #server: Server;
  readonly #open = new Set<Duplex>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(tls: ServerOptions | null = null): Promise<RawServer> {
    const server = tls === null ? createHttp() : createHttps(tls);
    const raw = new RawServer(server);
    raw.#serve();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return raw;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  endpoint(scheme: "ws" | "wss" | "http" | "https", host = "127.0.0.1"): string {
    return `${scheme}://${host}:${this.port}/v1/opamp`;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(): void {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 0 });
    this.#server.on("connection", (socket: Duplex) => {
      socket.on("error", () => undefined);
      this.#open.add(socket);
      socket.on("close", () => this.#open.delete(socket));
      this.sockets.push(socket);
      this.onSocket?.(socket);
    });
    this.#server.on("upgrade", (request, socket, head) => {
      if (this.onUpgrade !== null) return this.onUpgrade(request, socket);
      sockets.handleUpgrade(request, socket, head, (webSocket) => this.links.push(new RawLink(webSocket, request)));
    });
    this.#server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const answer: RawRequest["answer"] = (status, body = "", headers = {}) => {
          response.writeHead(status, headers).end(body);
        };
        this.requests.push({ request, body: Buffer.concat(chunks), answer, response });
      });
    });
  }
}
