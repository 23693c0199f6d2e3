/**
 * The OpAMP server on 127.0.0.1 for the opamp extension inside the Collector. There is one seat: it belongs to the
 * newest link that shows the secret of the current attempt, so that a half-open socket never keeps the Collector out.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Event } from "../core/event.js";
import type { Clock } from "../lib/clock.js";
import { messageOf, SupervisorError } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { Allowance } from "./allowance.js";
import { hashOf, refusalOf, Strangers, turnAway, type Refusal } from "./extension-door.js";
import { HANDSHAKE_BYTES_MAX, LOCAL_MESSAGE_BYTES_MAX, REFUSAL_LOG_MS } from "./extension-limits.js";
import { ExtensionLink, type ComponentsMemory } from "./extension-link.js";

const LOOPBACK = "127.0.0.1";
/** Strangers have a time limit of their own; Node's check of all connections would only wake the process. */
const NODE_CHECK_MS = 3_600_000;

export interface ExtensionServerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: (event: Event) => void;
  /** `agent.opamp_server_port`; 0 for any free one. */
  readonly port: number;
}

interface Seat {
  readonly attempt: number;
  readonly secretHash: Buffer;
  readonly instanceUid: string | null;
}

export class ExtensionServer {
  readonly #options: ExtensionServerOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: LOCAL_MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  readonly #strangers: Strangers;
  readonly #refusals = new Allowance(1, REFUSAL_LOG_MS);
  #unloggedRefusals = 0;
  readonly #components: ComponentsMemory = { last: null };
  #seat: Seat | null = null;
  #link: ExtensionLink | null = null;
  #lastLink = 0;

  constructor(options: ExtensionServerOptions) {
    this.#options = options;
    this.#strangers = new Strangers(options.clock);
    this.#server = createServer({
      connectionsCheckingInterval: NODE_CHECK_MS,
      headersTimeout: 0,
      requestTimeout: 0,
      maxHeaderSize: HANDSHAKE_BYTES_MAX,
    });
    this.#server.on("connection", (socket) => this.#strangers.add(socket));
    this.#server.on("request", (request) => this.#refuse(request.socket, notAnUpgrade(request, this.#seat)));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Resolves with the port. Rejects with code "extension" when it cannot be had. */
  listen(): Promise<number> {
    const { log, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(listenError(port, error));
      this.#server.once("error", onError);
      this.#server.listen({ host: LOOPBACK, port }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) => log.error("Local OpAMP server fails", { error: messageOf(error) }));
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /**
   * From now on only links with this secret get in; those of earlier attempts end.
   * @param instanceUid the identity that this Collector is given; another one in its reports is an error in the log.
   */
  expect(attempt: number, secret: string, instanceUid: string | null = null): void {
    this.#seat = { attempt, secretHash: hashOf(secret), instanceUid };
    this.#link?.close();
    this.#link = null;
  }

  /** Ends all links and frees the port. */
  async close(): Promise<void> {
    this.#seat = null;
    this.#link?.close();
    this.#link = null;
    this.#strangers.close();
    await new Promise<void>((resolve) => {
      // An error here says that it did not listen.
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const seat = this.#seat;
    const refusal = refusalOf(request, seat?.secretHash ?? null);
    if (refusal !== null || seat === null) {
      return this.#refuse(socket, refusal ?? { status: "401 Unauthorized", because: "no Collector is expected" });
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#strangers.welcome(socket);
      this.#take(webSocket, seat);
    });
  }

  #take(socket: WebSocket, { attempt, instanceUid }: Seat): void {
    const { clock, log, onEvent } = this.#options;
    if (this.#link !== null) log.debug("Link of the Collector's extension is replaced by a newer one", { ...this.#link.source });
    this.#link?.close();
    this.#lastLink += 1;
    const source = { attempt, link: this.#lastLink };
    this.#link = new ExtensionLink({ socket, source, instanceUid, components: this.#components, clock, log, onEvent });
    log.debug("Collector's extension has connected", source);
    onEvent({ is: "collector-connected", ...source });
  }

  /** Its time limit stays, so a socket that does not go away by itself is destroyed. */
  #refuse(socket: Duplex, refusal: Refusal): void {
    const { clock, log } = this.#options;
    turnAway(socket, refusal);
    if (this.#refusals.take(clock.now())) {
      log.warn("Connection to the local OpAMP server refused", { because: refusal.because, unlogged_before: this.#unloggedRefusals });
      this.#unloggedRefusals = 0;
    } else {
      this.#unloggedRefusals += 1;
    }
  }
}

function notAnUpgrade(request: IncomingMessage, seat: Seat | null): Refusal {
  return refusalOf(request, seat?.secretHash ?? null) ?? { status: "426 Upgrade Required", because: "it is no WebSocket handshake" };
}

function listenError(port: number, error: Error): SupervisorError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const where = `port ${port} on ${LOOPBACK}`;
  switch (code) {
    case "EADDRINUSE":
      return new SupervisorError("extension", `${where} is in use; choose another one in agent.opamp_server_port, or 0 for any free one`, { cause: error });
    case "EACCES":
      return new SupervisorError("extension", `${where} may not be used by this user; choose one above 1023 in agent.opamp_server_port, or 0 for any free one`, { cause: error });
    default:
      return new SupervisorError("extension", `cannot listen on ${where} for the Collector's opamp extension (agent.opamp_server_port): ${messageOf(error)}`, { cause: error });
  }
}
