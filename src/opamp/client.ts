/**
 * The supervisor's link to its OpAMP server: one conversation after the other, with pauses between them. It never gives
 * up, and it never stops the supervisor: a server that is away is one line in the log when it goes and one when it
 * returns.
 */
import type { TlsSettings } from "../config/settings.js";
import type { Event } from "../core/event.js";
import type { Report } from "../core/report.js";
import type { Millis } from "../core/values.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/log.js";
import type { Conversation, Peer } from "./conversation.js";
import type { Failure } from "./ending.js";
import { HttpConversation } from "./http.js";
import { DEFAULT_LIMITS, HEARTBEAT_MS, type Limits } from "./limits.js";
import { Pacing } from "./pacing.js";
import { Session } from "./session.js";
import { TlsClient } from "./tls.js";
import { WebSocketConversation } from "./websocket.js";
import { whereOf } from "./where.js";

export interface OpampClientOptions {
  /** ws, wss, http or https URL, used as it is. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly tls: TlsSettings;
  /** Default 30,000; null: no heartbeats (plain HTTP polls every 30 s nevertheless). */
  readonly heartbeatMs?: Millis | null;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly onEvent: (event: Event) => void;
  readonly limits?: Partial<Limits>;
  /** For proxies and the place of CA certificates. */
  readonly env: NodeJS.ProcessEnv;
}

export class OpampClient {
  readonly #options: OpampClientOptions;
  readonly #session: Session;
  readonly #pacing: Pacing;
  readonly #peer: Peer;
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #closed: Promise<void> | null = null;
  #conversation: Conversation | null = null;
  #usefulSince: Millis | null = null;
  #reachable: "unknown" | "yes" | "no" = "unknown";

  constructor(options: OpampClientOptions) {
    const { clock, env, headers, log, random, tls } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
    this.#session = new Session({ log, sendBytesMax: limits.sendBytesMax });
    this.#pacing = new Pacing(random, log);
    this.#peer = {
      endpoint: new URL(options.endpoint),
      headers,
      route: { env, tls: new TlsClient(tls, env) },
      session: this.#session,
      clock,
      log,
      limits,
      heartbeatMs: options.heartbeatMs === undefined ? HEARTBEAT_MS : options.heartbeatMs,
      onEvents: (events) => {
        for (const event of events) options.onEvent(event);
      },
      onUseful: () => this.#arrived(),
    };
  }

  /** Starts connecting at once; the first message waits for the first report. */
  open(): void {
    if (this.#running !== null || this.#closed !== null) return;
    this.#running = this.#run();
  }

  /** The newest report wins; only what changed is sent. */
  tell(report: Report): void {
    if (this.#closed !== null) return;
    this.#session.tell(report, this.#options.clock.unixNano());
    this.#conversation?.wake();
  }

  /** Sends what is pending with agent_disconnect and closes. Resolves within the budget, whatever the server does. */
  close(budgetMs: Millis): Promise<void> {
    this.#closed ??= this.#close(budgetMs);
    return this.#closed;
  }

  async #close(budgetMs: Millis): Promise<void> {
    this.#closing.abort(new Error("closing"));
    this.#conversation?.leave(budgetMs);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#usefulSince = null;
      this.#conversation = this.#converse();
      const ending = await this.#conversation.ended;
      this.#conversation = null;
      if (ending.is === "closed") return;
      const pauseMs = this.#pacing.pauseMs(ending, this.#usefulMs());
      this.#lost(ending, pauseMs);
      await this.#options.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  #converse(): Conversation {
    const { protocol } = this.#peer.endpoint;
    const plain = protocol === "http:" || protocol === "https:";
    return plain ? new HttpConversation(this.#peer).start() : new WebSocketConversation(this.#peer).start();
  }

  #usefulMs(): Millis | null {
    return this.#usefulSince === null ? null : this.#options.clock.now() - this.#usefulSince;
  }

  #arrived(): void {
    const { clock, log, onEvent } = this.#options;
    this.#usefulSince = clock.now();
    if (this.#reachable !== "yes") {
      log.info(this.#reachable === "no" ? "Server is back" : "Connected to the server", { server: whereOf(this.#peer.endpoint) });
    }
    this.#reachable = "yes";
    onEvent({ is: "server-connected" });
  }

  #lost(failure: Failure, pauseMs: Millis): void {
    const { log, onEvent } = this.#options;
    const fields = { error: failure.error, retry_in_ms: Math.round(pauseMs) };
    if (this.#reachable === "no") {
      log.debug("Server is still away", fields);
      return;
    }
    this.#reachable = "no";
    log.warn("Server is away, trying again until it returns", fields);
    onEvent({ is: "server-lost", error: failure.error });
  }
}
