/** The example server on a free port, and when each message arrived: all times of a supervisor are taken here. */
import { startOpampServer, type OpampServer } from "../examples/server/opamp-server.js";
import { configHash, type ConfigFile } from "../examples/server/remote-config.js";
import type { AgentToServer } from "../src/gen/opamp/v1/opamp_pb.js";
import { systemClock, type Millis } from "../src/lib/clock.js";

export interface Arrival {
  readonly atMs: Millis;
  readonly message: AgentToServer;
}

export interface Offered {
  readonly hash: Uint8Array;
  readonly sentAtMs: Millis;
}

export class WatchedServer {
  readonly #server: OpampServer;
  readonly #arrivals: Arrival[] = [];

  static async start(): Promise<WatchedServer> {
    return new WatchedServer(
      await startOpampServer({ dataDirectory: null, host: "127.0.0.1", opampPort: 0, pagePort: null, otlpPort: null }),
    );
  }

  private constructor(server: OpampServer) {
    this.#server = server;
    server.fleet.on((news) => {
      if (news.is === "received") this.#arrivals.push({ atMs: systemClock.now(), message: news.message });
    });
  }

  get url(): string {
    return this.#server.webSocketUrl;
  }

  /** For `next`: what arrived until now does not count. */
  mark(): number {
    return this.#arrivals.length;
  }

  /** The first message after the mark that matches; rejects, naming `what`, when none comes in time or `matches` throws. */
  next(mark: number, matches: (message: AgentToServer) => boolean, what: string, timeoutMs: Millis): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      let seen = mark;
      const end = (settle: () => void): void => {
        stopListening();
        cancel();
        settle();
      };
      const look = (): void => {
        try {
          const arrival = this.#arrivals.slice(seen).find(({ message }) => matches(message));
          seen = this.#arrivals.length;
          if (arrival !== undefined) end(() => resolve(arrival));
        } catch (error) {
          end(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const cancel = systemClock.after(timeoutMs, () => end(() => reject(new Error(`waited ${timeoutMs / 1_000} s in vain for ${what}`))));
      const stopListening = this.#server.fleet.on(look);
      look();
    });
  }

  /** Sends a configuration of one nameless file to the agent that is connected. */
  async send(body: string): Promise<Offered> {
    const agents = this.#server.fleet.agents().filter(({ gone }) => gone === null);
    const agent = agents.at(-1);
    if (agent === undefined) throw new Error("no agent is connected");
    const files: readonly ConfigFile[] = [{ name: "", body, contentType: "text/yaml", role: "" }];
    const hash = configHash(files);
    const sentAtMs = systemClock.now();
    await this.#server.fleet.saveConfig(agent.uid, files, hash);
    return { hash, sentAtMs };
  }

  /** What arrived is only needed until it was looked at, and an effective configuration may be large. */
  forget(): void {
    this.#arrivals.length = 0;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
