/** Drives the Go program on opamp-go's server package: its events become a `SeenAgent`, its commands are methods. */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { AgentToServerSchema } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { SeenAgent } from "./seen-agent.js";

export const WAIT_MS = 20_000;

export type When = "now" | "applied" | "failed";

export interface GoServerOptions {
  /** Serve TLS and write the certificate of the CA to this file. */
  readonly caFile?: string;
  /** As the example server: each connection brings a new agent, which is sent an empty configuration first. */
  readonly likeExample?: boolean;
  /** 0, the default: any free one. */
  readonly port?: number;
}

export interface Connection {
  readonly transport: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

interface Line {
  readonly event: "listening" | "connected" | "message" | "closed" | "unreadable" | "done";
  readonly port?: number;
  readonly transport?: string;
  readonly headers?: Record<string, string[]>;
  readonly uid?: string;
  readonly message?: JsonValue;
  readonly id?: number;
  readonly hash?: string;
  readonly error?: string;
}

export class GoServer {
  readonly agent = new SeenAgent();
  readonly connections: Connection[] = [];
  closed = 0;
  /** What opamp-go could not decode: stays empty. */
  readonly unreadable: string[] = [];
  port = 0;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #changes = new EventEmitter();
  readonly #answers = new Map<number, Line>();
  #lastId = 0;

  static async start(program: string, options: GoServerOptions = {}): Promise<GoServer> {
    const args = [`-listen=127.0.0.1:${options.port ?? 0}`];
    if (options.caFile !== undefined) args.push(`-tls-ca=${options.caFile}`);
    if (options.likeExample === true) args.push("-like-example");
    const server = new GoServer(spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] }));
    await server.until("the Go server to listen", () => server.port !== 0);
    return server;
  }

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.#changes.setMaxListeners(0);
    createInterface({ input: child.stdout }).on("line", (text) => this.#take(JSON.parse(text) as Line));
  }

  endpoint(scheme: "ws" | "wss" | "http" | "https"): string {
    return `${scheme}://127.0.0.1:${this.port}/v1/opamp`;
  }

  /** @returns the hash (hexadecimal) of the offered configuration. */
  async offer(body: string, when: When = "now"): Promise<string> {
    const { hash } = await this.#command({ do: "offer", files: { "": body }, when });
    return hash ?? "";
  }

  async restart(when: When = "now"): Promise<void> {
    await this.#command({ do: "restart", when });
  }

  async reportFullState(when: When = "now"): Promise<void> {
    await this.#command({ do: "report-full-state", when });
  }

  async assignUid(uid: string, when: When = "now"): Promise<void> {
    await this.#command({ do: "assign-uid", uid, when });
  }

  /** Cuts the WebSocket without a close frame. */
  async drop(): Promise<void> {
    await this.#command({ do: "drop" });
  }

  /** Waits until `holds` is true of what the server saw; looks again after each of its events. */
  async until(what: string, holds: (agent: SeenAgent) => boolean, timeoutMs = WAIT_MS): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!holds(this.agent)) {
      if (this.#ended()) throw new Error(`the Go server ended while the test waited for ${what}`);
      try {
        await once(this.#changes, "change", { signal });
      } catch {
        throw new Error(`waited ${timeoutMs} ms for ${what}; seen: ${this.agent.summary()}`);
      }
    }
  }

  async stop(): Promise<void> {
    if (this.#ended()) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin.end();
    await exited;
  }

  #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #command(command: { do: string; files?: Record<string, string>; uid?: string; when?: When }): Promise<Line> {
    const id = ++this.#lastId;
    const when = command.when === "now" ? "" : (command.when ?? "");
    this.#child.stdin.write(`${JSON.stringify({ ...command, id, when })}\n`);
    await this.until(`the Go server to obey "${command.do}"`, () => this.#answers.has(id));
    const answer = this.#answers.get(id);
    if (answer?.error !== undefined) throw new Error(`the Go server cannot ${command.do}: ${answer.error}`);
    return answer ?? { event: "done" };
  }

  #take(line: Line): void {
    switch (line.event) {
      case "listening":
        this.port = line.port ?? 0;
        break;
      case "connected":
        this.connections.push({ transport: line.transport ?? "", headers: line.headers ?? {} });
        break;
      case "message":
        this.agent.take(line.uid ?? "", fromJson(AgentToServerSchema, line.message ?? null));
        break;
      case "closed":
        this.closed++;
        break;
      case "unreadable":
        this.unreadable.push(line.error ?? "");
        break;
      case "done":
        this.#answers.set(line.id ?? 0, line);
        break;
    }
    this.#changes.emit("change");
  }
}
