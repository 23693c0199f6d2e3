/** The one port of OpAMP: a POST is plain HTTP, an upgrade is a WebSocket, anything else gets a readable refusal. */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../src/lib/clock.js";
import type { BadModes } from "./bad-mode.js";
import type { ServerCertificates } from "./certificates.js";
import type { Fleet } from "./fleet.js";
import { listen } from "./listen.js";
import { answerPost, OPAMP_CONTENT_TYPE } from "./opamp-http.js";
import { OpampWebSockets } from "./opamp-websocket.js";

export interface ListenerOptions {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly modes: BadModes;
  /** Null: without TLS. */
  readonly certificates: ServerCertificates | null;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly messageBytesMax: number;
  readonly compresses: boolean;
  readonly pingMs: number;
  /** Sees each request and upgrade before it is served. */
  readonly onRequest: (request: IncomingMessage) => void;
}

export class OpampListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #webSockets: OpampWebSockets;
  #links = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#webSockets = new OpampWebSockets({ ...options, nextLinkId: () => ++this.#links });
    const { certificates } = options;
    this.#server =
      certificates === null
        ? createServer()
        : createTlsServer({ cert: certificates.certPem, key: certificates.keyPem, minVersion: "TLSv1.2" });
    this.#server.on("request", (request, response) => this.#request(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    // A client that hangs up during the handshake is its own affair.
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  listen(): Promise<AddressInfo> {
    return listen(this.#server, this.#options.host, this.#options.port, "OpAMP", "--opamp-port");
  }

  /** Cuts all connections at once; agents may come back. */
  cutAll(): void {
    this.#webSockets.cutAll();
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.#webSockets.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#options.onRequest(request);
    const refuse = (status: number, text: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "text/plain", ...headers }).end(`${text}\n`);
    };
    if (!this.#isOurPath(request)) return refuse(404, `OpAMP is served at ${this.#options.path}`);
    const reject = this.#options.modes.takeReject(headerUid(request));
    if (reject !== null) {
      this.#options.fleet.misbehaved(null, `rejected a request with ${reject.status}`);
      return refuse(reject.status, "refused on purpose", retryAfter(reject.retryAfter));
    }
    if (request.method !== "POST") return refuse(426, "use a WebSocket or POST", { upgrade: "websocket", connection: "upgrade" });
    const contentType = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
    if (contentType !== OPAMP_CONTENT_TYPE) return refuse(415, `the content type must be ${OPAMP_CONTENT_TYPE}`);
    void answerPost(request, response, { ...this.#options, nextLinkId: () => ++this.#links });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#options.onRequest(request);
    socket.on("error", () => socket.destroy());
    const refuse = (status: number, text: string, headers: Record<string, string> = {}): void => {
      const lines = Object.entries({ "content-type": "text/plain", "content-length": String(text.length), connection: "close", ...headers });
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head}\r\n${text}`);
    };
    if (!this.#isOurPath(request)) return refuse(404, `OpAMP is served at ${this.#options.path}\n`);
    const reject = this.#options.modes.takeReject(headerUid(request));
    if (reject === null) return this.#webSockets.upgrade(request, socket, head);
    this.#options.fleet.misbehaved(null, `rejected an upgrade with ${reject.status}`);
    refuse(reject.status, "refused on purpose\n", retryAfter(reject.retryAfter));
  }

  #isOurPath(request: IncomingMessage): boolean {
    return (request.url ?? "").split("?")[0] === this.#options.path;
  }
}

/** Before a message is read, only this header says who asks, and not every agent sends it. */
function headerUid(request: IncomingMessage): string | null {
  const header = request.headers["opamp-instance-uid"];
  return typeof header === "string" ? header.toLowerCase() : null;
}

function retryAfter(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { "retry-after": value };
}
