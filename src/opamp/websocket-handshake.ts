/** From an endpoint to an open WebSocket: dial, upgrade, follow redirects; or the reason why there is none. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { SupervisorError } from "../lib/error.js";
import { openSocket } from "./connect.js";
import { credentialHeaders, redirect, type Hop, type Peer } from "./conversation.js";
import { endingOfStatus, type Failure } from "./ending.js";
import { REDIRECTS_MAX } from "./limits.js";
import { parseRetryAfter } from "./retry-after.js";
import { connectionErrorText } from "./server-error.js";
import { whereOf } from "./where.js";

export interface Live {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  /** Where it was opened in the end. */
  readonly url: URL;
}

type Handshake =
  | { readonly is: "open" }
  | { readonly is: "redirect"; readonly location: string | undefined }
  | { readonly is: "refused"; readonly failure: Failure };

/**
 * Null: it is open, and `onOpen` was called while no message could have been missed. Otherwise why it is not.
 * Rejects with a readable error for everything that is no answer of a server.
 */
export async function shakeHands(peer: Peer, onOpen: (live: Live) => void, signal: AbortSignal): Promise<Failure | null> {
  let hop: Hop = { url: peer.endpoint, trusted: true };
  for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
    const handshake = await upgrade(peer, hop, onOpen, signal);
    if (handshake.is === "open") return null;
    if (handshake.is === "refused") return handshake.failure;
    const next = redirect(hop, handshake.location, peer.endpoint);
    if (typeof next === "string") throw new SupervisorError("server", `${whereOf(hop.url)}: ${next}`);
    hop = next;
  }
  throw new SupervisorError("server", `${whereOf(peer.endpoint)}: the server redirects more than ${REDIRECTS_MAX} times`);
}

async function upgrade(peer: Peer, { url, trusted }: Hop, onOpen: (live: Live) => void, signal: AbortSignal): Promise<Handshake> {
  const socket = await openSocket(url, peer.route, { tunnel: true, trusted }, signal);
  const webSocket = createWebSocket(peer, url, trusted, socket);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      webSocket.off("error", fail).off("open", onOpened).off("unexpected-response", onResponse);
    };
    const end = (): void => {
      settle();
      // Ending a handshake makes it complain once more.
      webSocket.on("error", () => undefined).terminate();
      socket.destroy();
    };
    const fail = (error: Error): void => {
      end();
      reject(new SupervisorError("server", handshakeText(error, url), { cause: error }));
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    const onResponse = (_request: unknown, response: IncomingMessage): void => {
      end();
      resolve(readResponse(response, peer, url));
    };
    const onOpened = (): void => {
      settle();
      onOpen({ webSocket, socket, url });
      resolve({ is: "open" });
    };
    webSocket.on("error", fail).on("open", onOpened).on("unexpected-response", onResponse);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
}

function createWebSocket(peer: Peer, url: URL, trusted: boolean, socket: Socket): WebSocket {
  const address = new URL(url);
  address.username = "";
  address.password = "";
  return new WebSocket(address, {
    createConnection: () => socket,
    headers: trusted ? credentialHeaders(peer) : {},
    // Off: it would keep a window of memory for each direction, and a small message could become a huge one.
    perMessageDeflate: false,
    maxPayload: peer.limits.receiveBytesMax,
    followRedirects: false,
  });
}

function readResponse(response: IncomingMessage, { clock }: Peer, url: URL): Handshake {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) return { is: "redirect", location: response.headers.location };
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"], Number(clock.unixNano() / 1_000_000n));
  return { is: "refused", failure: endingOfStatus(status, retryAfterMs, `${whereOf(url)}: ${notUpgraded(status)}`) };
}

function notUpgraded(status: number): string {
  return [200, 400, 405, 426].includes(status)
    ? "it does not accept a WebSocket there; check the path, or use http:// or https:// in server.endpoint"
    : "the WebSocket was refused";
}

function handshakeText(error: Error, url: URL): string {
  const where = whereOf(url);
  if (/socket hang up|ECONNRESET/.test(error.message)) return `${where}: closed during the WebSocket handshake`;
  if (/Parse Error/.test(error.message)) return `${where}: it does not speak HTTP; check the port, and whether it wants wss://`;
  if (/^Invalid /.test(error.message)) return `${where}: it is not a WebSocket server (${error.message})`;
  return connectionErrorText(error, where);
}
