/** The web page and the JSON API on one port, in plain HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../src/lib/error.js";
import { callApi, type ApiContext } from "./api.js";
import type { LiveEvents } from "./live-events.js";
import { listen } from "./listen.js";
import { readPageFiles, type PageFile } from "./page-files.js";
import { readBody } from "./read-body.js";
import { Refused } from "./refused.js";
import { refuseForeign } from "./same-origin.js";

export interface PageOptions {
  readonly host: string;
  readonly port: number;
  readonly api: ApiContext;
  readonly events: LiveEvents;
}

const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** What agents say is shown as text and could not run even if it were not: only files of this server are scripts. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

export class PageServer {
  readonly #options: PageOptions;
  readonly #files: ReadonlyMap<string, PageFile> = readPageFiles();
  readonly #server: Server;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#request(request, response));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  listen(): Promise<AddressInfo> {
    return listen(this.#server, this.#options.host, this.#options.port, "the web page", "--page-port");
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    try {
      refuseForeign(request);
      const url = new URL(request.url ?? "/", "http://page");
      if (url.pathname === "/api/events" && request.method === "GET") return this.#options.events.serve(request, response);
      if (url.pathname.startsWith("/api/")) return sendJson(response, 200, await this.#api(request, url));
      this.#file(request, response, url.pathname);
    } catch (error) {
      if (response.destroyed) return;
      sendJson(response, error instanceof Refused ? error.status : 500, { error: messageOf(error) });
    }
  }

  async #api(request: IncomingMessage, url: URL): Promise<unknown> {
    const text = (await readBody(request, BODY_BYTES_MAX)).toString("utf8");
    const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
    if (text !== "" && !isJson) throw new Refused(415, "the content type must be application/json");
    const method = request.method ?? "GET";
    return callApi(this.#options.api, { method, path: url.pathname, query: url.searchParams, body: parseJson(text) });
  }

  #file(request: IncomingMessage, response: ServerResponse, path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) throw new Refused(404, `there is no ${path}`);
    if (request.method !== "GET" && request.method !== "HEAD") throw new Refused(405, "files can only be read");
    response.writeHead(200, { "content-type": file.type, "content-length": file.body.length });
    response.end(request.method === "HEAD" ? undefined : file.body);
  }
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Refused(400, `the body is not JSON: ${messageOf(error)}`);
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "content-length": body.length }).end(body);
}
