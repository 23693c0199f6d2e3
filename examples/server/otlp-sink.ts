/** An OTLP/HTTP receiver that keeps, for each sender, counts and the names of its last request, so that one can see it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../src/lib/error.js";
import { listen } from "./listen.js";
import { decodeOtlp, decodeOtlpJson, type Batch, type Signal } from "./otlp-decode.js";
import { readBody } from "./read-body.js";
import { Refused } from "./refused.js";

export interface Telemetry {
  /** The `service.instance.id` of the sender, empty where it does not say. */
  readonly instanceId: string;
  serviceName: string;
  readonly signals: { [Name in Signal]?: SignalSeen };
}

export interface SignalSeen {
  requests: number;
  items: number;
  /** Unix milliseconds. */
  lastAt: number;
  lastBytes: number;
  lastEncoding: "json" | "protobuf";
  lastNames: readonly string[];
}

export interface SinkOptions {
  readonly host: string;
  readonly port: number;
  readonly nowMs: () => number;
  readonly onTelemetry: (instanceId: string) => void;
}

const SENDERS_MAX = 2_000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const SIGNAL_OF_PATH: ReadonlyMap<string, Signal> = new Map([
  ["/v1/metrics", "metrics"],
  ["/v1/logs", "logs"],
  ["/v1/traces", "traces"],
]);

export class OtlpSink {
  readonly #options: SinkOptions;
  readonly #server: Server;
  readonly #senders = new Map<string, Telemetry>();

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#request(request, response));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  listen(): Promise<AddressInfo> {
    return listen(this.#server, this.#options.host, this.#options.port, "the OTLP sink", "--otlp-port");
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  senders(): readonly Telemetry[] {
    return [...this.#senders.values()];
  }

  find(instanceId: string): Telemetry | undefined {
    return this.#senders.get(instanceId);
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, text: string, type = "text/plain"): void => {
      if (!response.destroyed) response.writeHead(status, { "content-type": type }).end(text);
    };
    const signal = SIGNAL_OF_PATH.get(request.url ?? "");
    if (signal === undefined || request.method !== "POST") return answer(404, "POST to /v1/metrics, /v1/logs or /v1/traces\n");
    try {
      const body = await readBody(request, BODY_BYTES_MAX);
      const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
      const batches = isJson ? decodeOtlpJson(body.toString("utf8")) : decodeOtlp(signal, body);
      this.#keep(signal, batches, body.length, isJson ? "json" : "protobuf");
      answer(200, isJson ? "{}" : "", isJson ? "application/json" : "application/x-protobuf");
    } catch (error) {
      answer(error instanceof Refused ? error.status : 400, `${messageOf(error)}\n`);
    }
  }

  #keep(signal: Signal, batches: readonly Batch[], bytes: number, encoding: SignalSeen["lastEncoding"]): void {
    for (const { instanceId, serviceName, items, names } of batches) {
      const sender = this.#senders.get(instanceId) ?? { instanceId, serviceName, signals: {} };
      sender.serviceName = serviceName;
      const before = sender.signals[signal];
      sender.signals[signal] = {
        requests: (before?.requests ?? 0) + 1,
        items: (before?.items ?? 0) + items,
        lastAt: this.#options.nowMs(),
        lastBytes: bytes,
        lastEncoding: encoding,
        lastNames: names,
      };
      // Who spoke last stands last, so that the first one is the one to forget.
      this.#senders.delete(instanceId);
      this.#senders.set(instanceId, sender);
      if (this.#senders.size > SENDERS_MAX) this.#senders.delete(this.#senders.keys().next().value ?? "");
      this.#options.onTelemetry(instanceId);
    }
  }
}
