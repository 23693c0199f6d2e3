/**
 * One WebSocket connection with the server, from the attempt to its end. Messages leave one at a time, so that changes
 * gather while a slow link is busy.
 */
import { WebSocket, type RawData } from "ws";
import type { Millis } from "../core/values.js";
import { messageOf, SupervisorError } from "../lib/error.js";
import type { Conversation, Peer } from "./conversation.js";
import type { Ending } from "./ending.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { CLOSE_MS_MAX, CONNECT_MS_MAX, LEAVE_MS_MAX, REPLY_MS_MAX, SLOW_LINK_BYTES_PER_MS } from "./limits.js";
import { Liveness } from "./liveness.js";
import type { Draft } from "./outgoing.js";
import type { Act } from "./session.js";
import { Timers } from "./timers.js";
import { shakeHands, type Live } from "./websocket-handshake.js";
import { whereOf } from "./where.js";

/** Close codes of RFC 6455. */
const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL_ERROR = 1002;
const CLOSE_ABNORMAL = 1006;
const CLOSE_INVALID_DATA = 1007;
const CLOSE_TOO_LARGE = 1009;

interface Connection extends Live {
  readonly liveness: Liveness;
}

export class WebSocketConversation implements Conversation {
  readonly ended: Promise<Ending>;
  readonly #peer: Peer;
  readonly #connecting = new AbortController();
  readonly #timers: Timers<"connect" | "heartbeat" | "write" | "held-back" | "close">;
  #resolve: (ending: Ending) => void = () => undefined;
  #connection: Connection | null = null;
  /** Set as soon as the end is decided; the first reason wins. */
  #ending: Ending | null = null;
  #error: unknown = null;
  #writing = false;
  #useful = false;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.#timers = new Timers(peer.clock);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  start(): this {
    this.#timers.set("connect", CONNECT_MS_MAX, () => {
      const error = `${whereOf(this.#peer.endpoint)}: no connection within ${CONNECT_MS_MAX / 1000} s; check the network`;
      this.#connecting.abort(new SupervisorError("server", error));
    });
    shakeHands(this.#peer, (live) => this.#opened(live), this.#connecting.signal).then(
      (failure) => {
        if (failure !== null) this.#finish(failure);
      },
      (error: unknown) => this.#finish({ is: "lost", error: messageOf(error) }),
    );
    return this;
  }

  wake(): void {
    this.#pump();
  }

  leave(budgetMs: Millis): void {
    this.#goodbye({ is: "closed" }, Math.min(budgetMs, CLOSE_MS_MAX));
  }

  #opened(live: Live): void {
    const { clock, session } = this.#peer;
    this.#timers.cancel("connect");
    const liveness = new Liveness(clock, {
      socket: live.socket,
      isWriting: () => live.webSocket.bufferedAmount > 0,
      awaitsReply: () => session.awaitsReply,
      ping: () => live.webSocket.ping(),
      probe: () => this.#beat(),
      onDead: (because) => this.#drop(because),
    });
    this.#connection = { ...live, liveness };
    live.webSocket.on("error", (error) => {
      this.#error ??= error;
    });
    live.webSocket.on("message", (data, isBinary) => this.#received(data, isBinary));
    live.webSocket.on("close", (code, reason) => this.#closed(code, reason.toString("utf8")));
    session.connected(live.url.href);
    liveness.start();
    this.#restartHeartbeat();
    this.#pump();
  }

  #pump(): void {
    const { clock, session } = this.#peer;
    if (this.#connection === null || this.#ending !== null || this.#writing) return;
    const draft = session.next(clock.now());
    if (draft !== null) return this.#send(draft);
    const heldBackMs = session.heldBackMs(clock.now());
    if (heldBackMs !== null) this.#timers.set("held-back", heldBackMs, () => this.#pump());
  }

  #send(draft: Draft): void {
    const connection = this.#connection;
    if (connection?.webSocket.readyState !== WebSocket.OPEN) return;
    this.#writing = true;
    const patienceMs = REPLY_MS_MAX + draft.bytes.length / SLOW_LINK_BYTES_PER_MS;
    this.#timers.set("write", patienceMs, () => this.#drop("a message could not be sent in time"));
    // From here on it may arrive. Should it not, the connection is lost, and the next one begins with everything.
    this.#peer.session.sent(draft);
    connection.webSocket.send(encodeFrame(draft.bytes), { binary: true }, (error) => {
      this.#timers.cancel("write");
      this.#writing = false;
      if (error || this.#connection !== connection) return;
      connection.liveness.wrote();
      this.#pump();
    });
    this.#restartHeartbeat();
  }

  /** Counted from the last message of any kind (HB-07). */
  #restartHeartbeat(): void {
    const { heartbeatMs } = this.#peer;
    if (heartbeatMs !== null) this.#timers.set("heartbeat", heartbeatMs, () => this.#beat());
  }

  #beat(): void {
    const draft = this.#writing || this.#ending !== null ? null : this.#peer.session.heartbeat();
    if (draft === null) this.#restartHeartbeat();
    else this.#send(draft);
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#ending !== null) return;
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const { session, onEvents, onUseful } = this.#peer;
    const frame = isBinary ? decodeFrame(bytes) : { is: "malformed" as const, reason: "a text message" };
    const received =
      frame.is === "data" ? session.received(frame.data) : { events: [], act: session.malformed(frame.reason, bytes.length) };
    if (session.useful && !this.#useful) {
      this.#useful = true;
      onUseful();
    }
    this.#connection?.liveness.read();
    if (received.events.length > 0) onEvents(received.events);
    this.#act(received.act, frame.is === "data" ? CLOSE_INVALID_DATA : CLOSE_PROTOCOL_ERROR);
  }

  #act(act: Act, code: number): void {
    switch (act.do) {
      case "go-on":
        return this.#pump();
      case "skip":
        return;
      case "leave":
        return this.#goodbye({ is: "throttled", error: act.because, retryAfterMs: act.retryAfterMs }, LEAVE_MS_MAX);
      case "give-up":
        this.#ending ??= { is: "lost", error: act.because };
        return this.#close(code, LEAVE_MS_MAX);
    }
  }

  /** agent_disconnect in the last message, then the Close frame, and an end even if nobody answers it (DC-01..03). */
  #goodbye(ending: Ending, budgetMs: Millis): void {
    // A conversation that is closing for another reason still has to end within the budget.
    if (this.#ending !== null) return this.#close(CLOSE_NORMAL, budgetMs);
    this.#ending = ending;
    if (this.#connection === null) {
      return this.#connecting.abort(new SupervisorError("aborted", "closed while connecting"));
    }
    const draft = this.#peer.session.disconnect();
    if (draft !== null && this.#connection.webSocket.readyState === WebSocket.OPEN) {
      this.#peer.session.sent(draft);
      this.#connection.webSocket.send(encodeFrame(draft.bytes), { binary: true }, () => undefined);
    }
    this.#close(CLOSE_NORMAL, budgetMs);
  }

  #close(code: number, budgetMs: Millis): void {
    const webSocket = this.#connection?.webSocket;
    this.#timers.set("close", budgetMs, () => webSocket?.terminate());
    webSocket?.close(code);
  }

  #drop(because: string): void {
    this.#ending ??= { is: "lost", error: `${whereOf(this.#peer.endpoint)}: ${because}` };
    this.#connection?.webSocket.terminate();
  }

  #closed(code: number, reason: string): void {
    if (code === CLOSE_TOO_LARGE) this.#peer.session.tooLarge(null, "the server closed the connection with code 1009");
    this.#finish({ is: "lost", error: `${whereOf(this.#peer.endpoint)}: ${this.#closeText(code, reason)}` });
  }

  #closeText(code: number, reason: string): string {
    if (this.#error instanceof Error && "code" in this.#error && this.#error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
      return `the server sent a message of more than ${this.#peer.limits.receiveBytesMax} bytes, which is discarded`;
    }
    if (this.#error !== null) return `the connection broke (${messageOf(this.#error)})`;
    if (code === CLOSE_ABNORMAL) return "the connection ended without a Close frame";
    return `the server closed the connection (code ${code}${reason === "" ? "" : `, ${reason}`})`;
  }

  #finish(ending: Ending): void {
    this.#timers.clear();
    this.#connection?.liveness.stop();
    this.#connection = null;
    this.#ending ??= ending;
    this.#resolve(this.#ending);
  }
}
