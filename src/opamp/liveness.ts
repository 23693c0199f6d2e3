/**
 * Two ways to notice that nobody is there any more, behind an open WebSocket: no byte in spite of pings, and a status
 * that is never answered. Bytes are counted at the socket, so that a large message that trickles in is a sign of life.
 */
import type { Socket } from "node:net";
import type { Clock } from "../lib/clock.js";
import { PING_MS, PINGS_MISSED_MAX, REPLIES_MISSED_MAX, REPLY_MS_MAX } from "./limits.js";
import { Timers } from "./timers.js";

/** Fewer bytes than this between two looks are pongs, not an answer that is on its way. */
const PONG_BYTES_MAX = 512;

export interface Watched {
  readonly socket: Pick<Socket, "bytesRead">;
  /** A large message is leaving; its own time-out watches that. */
  readonly isWriting: () => boolean;
  readonly awaitsReply: () => boolean;
  readonly ping: () => void;
  /** Sends something that the server has to answer. */
  readonly probe: () => void;
  readonly onDead: (because: string) => void;
}

export class Liveness {
  readonly #watched: Watched;
  readonly #timers: Timers<"ping" | "reply">;
  #silentLooks = 0;
  #bytesAtPing = 0;
  #repliesMissed = 0;
  #bytesAtReply = 0;

  constructor(clock: Clock, watched: Watched) {
    this.#watched = watched;
    this.#timers = new Timers(clock);
  }

  start(): void {
    this.#bytesAtPing = this.#watched.socket.bytesRead;
    this.#timers.set("ping", PING_MS, () => this.#look());
  }

  stop(): void {
    this.#timers.clear();
  }

  /** A message has left. */
  wrote(): void {
    if (!this.#watched.awaitsReply() || this.#timers.has("reply")) return;
    this.#repliesMissed = 0;
    this.#waitForReply();
  }

  /** A message has arrived. */
  read(): void {
    if (!this.#watched.awaitsReply()) this.#timers.cancel("reply");
  }

  #look(): void {
    const { socket, isWriting, ping, onDead } = this.#watched;
    if (socket.bytesRead !== this.#bytesAtPing) this.#silentLooks = 0;
    // Behind a large message the ping waits as well: such a look says nothing.
    else if (!isWriting()) this.#silentLooks++;
    this.#bytesAtPing = socket.bytesRead;
    // One more than pings: the first silent look may follow a message, not a ping.
    if (this.#silentLooks > PINGS_MISSED_MAX) {
      return onDead(`the server does not answer pings, ${PINGS_MISSED_MAX} in a row`);
    }
    ping();
    this.#timers.set("ping", PING_MS, () => this.#look());
  }

  #waitForReply(): void {
    const { socket, awaitsReply, isWriting, probe, onDead } = this.#watched;
    this.#bytesAtReply = socket.bytesRead;
    this.#timers.set("reply", REPLY_MS_MAX, () => {
      if (!awaitsReply()) return;
      const arriving = socket.bytesRead - this.#bytesAtReply > PONG_BYTES_MAX;
      if (!arriving) this.#repliesMissed++;
      if (this.#repliesMissed >= REPLIES_MISSED_MAX) {
        return onDead(`the server has not answered for ${(REPLIES_MISSED_MAX * REPLY_MS_MAX) / 1000} s`);
      }
      if (!arriving && !isWriting()) probe();
      this.#waitForReply();
    });
  }
}
