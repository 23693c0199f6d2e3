/** Server-sent events: tells open pages which agents changed and in what, several changes at once where they come fast. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../src/lib/clock.js";

const FLUSH_MS = 40;
/** Keeps proxies from closing an idle stream, and finds pages that are gone. */
const KEEP_ALIVE_MS = 15_000;
/** A page that does not read is cut; its browser comes back by itself and reads everything anew. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
const PAGES_MAX = 100;

export class LiveEvents {
  readonly #clock: Clock;
  readonly #pages = new Set<ServerResponse>();
  readonly #changed = new Map<string, Set<string>>();
  #cancelFlush: (() => void) | null = null;
  #cancelKeepAlive: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#cancelKeepAlive = this.#keepAlive();
  }

  /** @param uid of an agent, or a word for what is not an agent's. */
  changed(uid: string, parts: readonly string[]): void {
    if (this.#pages.size === 0) return;
    const known = this.#changed.get(uid) ?? new Set();
    for (const part of parts) known.add(part);
    this.#changed.set(uid, known);
    this.#cancelFlush ??= this.#clock.after(FLUSH_MS, () => this.#flush());
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#pages.size >= PAGES_MAX) {
      response.writeHead(503, { "content-type": "text/plain" }).end("too many open pages\n");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write("retry: 1000\nevent: hello\ndata: {}\n\n");
    this.#pages.add(response);
    request.on("close", () => this.#pages.delete(response));
    response.on("close", () => this.#pages.delete(response));
  }

  close(): void {
    this.#cancelFlush?.();
    this.#cancelKeepAlive();
    for (const page of this.#pages) page.end();
    this.#pages.clear();
  }

  #flush(): void {
    this.#cancelFlush = null;
    const changes = [...this.#changed].map(([uid, parts]) => ({ uid, parts: [...parts] }));
    this.#changed.clear();
    this.#write(`event: changed\ndata: ${JSON.stringify(changes)}\n\n`);
  }

  #keepAlive(): () => void {
    return this.#clock.after(KEEP_ALIVE_MS, () => {
      this.#write(": still here\n\n");
      this.#cancelKeepAlive = this.#keepAlive();
    });
  }

  #write(text: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > BACKLOG_BYTES_MAX) page.destroy();
      else page.write(text);
    }
  }
}
