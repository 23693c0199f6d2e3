/**
 * The client inside the opamp extension. Changes gather in one waiting message; the first message is complete, a
 * reconnect is not; after a lost connection the first try is at once and then the pauses grow.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AgentToServerSchema, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Connection, Target } from "./opamp-socket.js";

export type Part = "description" | "health" | "config" | "components" | "remote" | "disconnect";
export type Content = MessageInitShape<typeof AgentToServerSchema>;
export interface ClientSettings {
  readonly target: Target;
  /** The current content of the named parts; `fullComponents` asks for the list and not only its hash. */
  readonly content: (parts: ReadonlySet<Part>, fullComponents: boolean) => Content;
  readonly say: (event: ClientNews) => void;
  readonly onNewUid: (uid: Uint8Array) => void;
}
export type ClientNews = { readonly is: "connected" } | { readonly is: "failed"; readonly error: string } | { readonly is: "broken"; readonly error: string };

const EVERYTHING: readonly Part[] = ["description", "health", "config", "components", "remote"];
const FLAG_FULL_STATE = 1n;
const FLAG_COMPONENTS = 2n;
const HEARTBEAT_MS = 30_000;
const FIRST_PAUSE_MS = 500;
const PAUSE_GROWTH = 1.5;
const PAUSE_MS_MAX = 60_000;
const GOODBYE_MS_MAX = 1_000;

export class OpampClient {
  readonly #settings: ClientSettings;
  readonly #stopping = new AbortController();
  #changed = new Set<Part>(EVERYTHING);
  #fullComponents = false;
  #sequence = 0n;
  #connection: Connection | null = null;
  #scheduled = false;
  #cancelHeartbeat: () => void = () => undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
  }

  async run(): Promise<void> {
    const { connect } = await import("./opamp-socket.js");
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const result = await connect(this.#settings.target, (message) => this.#receive(message));
      if (this.#isStopping()) {
        if (result.ok) result.connection.terminate();
        return;
      }
      if (!result.ok) {
        this.#settings.say({ is: "failed", error: result.error });
        await this.#pause(failures++, result.retryAfterMs);
        continue;
      }
      failures = 0;
      this.#connection = result.connection;
      this.#settings.say({ is: "connected" });
      this.#send();
      const reason = await result.connection.closed;
      this.#connection = null;
      this.#cancelHeartbeat();
      if (!this.#isStopping()) this.#settings.say({ is: "broken", error: reason });
    }
  }

  /** Sends the named part soon; what changes in the same turn goes into one message. */
  tell(part: Part): void {
    this.#changed.add(part);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      if (this.#scheduled) this.flush();
    });
  }

  /** Sends what waits, so that the next change makes a message of its own. */
  flush(): void {
    this.#scheduled = false;
    this.#send();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const connection = this.#connection;
    if (connection === null) return;
    this.#changed.add("disconnect");
    this.#send();
    this.#cancelHeartbeat();
    connection.close();
    const cancel = systemClock.after(GOODBYE_MS_MAX, () => connection.terminate());
    await connection.closed;
    cancel();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #send(): void {
    const connection = this.#connection;
    if (connection === null) return;
    const parts = this.#changed;
    const full = this.#fullComponents;
    this.#changed = new Set();
    this.#fullComponents = false;
    connection.send(create(AgentToServerSchema, { ...this.#settings.content(parts, full), sequenceNum: this.#sequence++ }));
    this.#cancelHeartbeat();
    this.#cancelHeartbeat = systemClock.after(HEARTBEAT_MS, () => this.#send());
  }

  #receive(message: ServerToAgent): void {
    if (message.agentIdentification?.newInstanceUid.length === 16) this.#settings.onNewUid(message.agentIdentification.newInstanceUid);
    const everything = (message.flags & FLAG_FULL_STATE) !== 0n;
    const components = (message.flags & FLAG_COMPONENTS) !== 0n;
    if (!everything && !components) return;
    this.#fullComponents = true;
    for (const part of everything ? EVERYTHING : (["components"] as const)) this.tell(part);
  }

  async #pause(failures: number, leastMs: number): Promise<void> {
    const nominal = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * PAUSE_GROWTH ** failures);
    const pause = Math.max(leastMs, nominal * (0.5 + Math.random()));
    await systemClock.sleep(pause, this.#stopping.signal).catch(() => undefined);
  }
}
