/**
 * Who may come in: the Collector of the current attempt, which shows the secret of its start. Whoever has no secret
 * gets little room and little time, and can neither take the seat nor keep the Collector from it. The server listens on
 * the loopback address only.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../lib/clock.js";
import { HANDSHAKE_MS_MAX, STRANGERS_MAX } from "./extension-limits.js";

/** The path in the extension's endpoint. */
const LOCAL_PATH = "/v1/opamp";

export interface Refusal {
  readonly status: "401 Unauthorized" | "403 Forbidden" | "404 Not Found" | "426 Upgrade Required";
  readonly because: string;
}

/** Null: it may come in. @param secretHash of the expected secret; null while nobody is expected. */
export function refusalOf({ headers, url }: IncomingMessage, secretHash: Buffer | null): Refusal | null {
  // Web pages can open WebSockets to loopback; browsers cannot leave this header out, and the extension never sends it.
  if (headers.origin !== undefined) return { status: "403 Forbidden", because: "it comes from a web page" };
  if ((url ?? "").split("?", 1)[0] !== LOCAL_PATH) return { status: "404 Not Found", because: "it asks for another path" };
  if (headers.authorization === undefined) return { status: "401 Unauthorized", because: "it shows no secret" };
  if (secretHash === null) return { status: "401 Unauthorized", because: "no Collector is expected" };
  const shown = /^\S+ +(\S+)$/.exec(headers.authorization)?.[1] ?? "";
  if (timingSafeEqual(hashOf(shown), secretHash)) return null;
  return { status: "401 Unauthorized", because: "it shows a wrong secret" };
}

/** Of equal length whatever the secret, so that comparing tells nothing by its time. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** A short answer in front of the end of the connection. */
export function turnAway(socket: Duplex, { status }: Refusal): void {
  const upgrade = status.startsWith("426") ? "Upgrade: websocket\r\n" : "";
  socket.end(`HTTP/1.1 ${status}\r\n${upgrade}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** The sockets that have not shown the secret yet. */
export class Strangers {
  readonly #clock: Clock;
  /** Oldest first, each with what cancels its time limit. */
  readonly #sockets = new Map<Duplex, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#sockets.size;
  }

  add(socket: Duplex): void {
    const cancel = this.#clock.after(HANDSHAKE_MS_MAX, () => socket.destroy());
    this.#sockets.set(socket, cancel);
    socket.once("close", () => this.welcome(socket));
    if (this.#sockets.size > STRANGERS_MAX) this.#oldest()?.destroy();
  }

  /** It is no stranger any more. */
  welcome(socket: Duplex): void {
    this.#sockets.get(socket)?.();
    this.#sockets.delete(socket);
  }

  close(): void {
    for (const socket of [...this.#sockets.keys()]) {
      this.welcome(socket);
      socket.destroy();
    }
  }

  #oldest(): Duplex | undefined {
    const [oldest] = this.#sockets.keys();
    if (oldest !== undefined) this.welcome(oldest);
    return oldest;
  }
}
