/** One POST over plain HTTP(S): headers, redirects, a limit on what comes back, also after decompression. */
import { Agent, request, type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { messageOf, SupervisorError } from "../lib/error.js";
import { basicAuthorization, isSecure, openSocket, portOf, relayFor, type Route } from "./connect.js";
import type { Hop } from "./conversation.js";
import { connectionErrorText } from "./server-error.js";
import { whereOf } from "./where.js";

export interface Post {
  readonly hop: Hop;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  readonly answerBytesMax: number;
  /** Ends the exchange; its reason becomes the error. */
  readonly signal: AbortSignal;
  /** Bytes are arriving: whoever watches the time may go on waiting. */
  readonly onProgress: () => void;
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/** A failure on the way. `seen`: the server may have received the request. */
export interface PostFailure {
  readonly error: string;
  readonly seen: boolean;
}

const unzip = promisify(gunzip);
/** What is read of an answer that is no success: enough for its text. */
const TEXT_BYTES_MAX = 64 * 1024;

/** Keeps one connection open between exchanges; connections are made by us, so that proxies and TLS are the same everywhere. */
export class Line {
  readonly #route: Route;
  readonly #trusted: boolean;
  readonly #agent: Agent;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(hop: Hop, route: Route) {
    this.#route = route;
    this.#trusted = hop.trusted;
    this.#agent = new DialingAgent(() => openSocket(hop.url, route, { tunnel: false, trusted: this.#trusted }, this.#signal));
  }

  async post(post: Post): Promise<Answer | PostFailure> {
    this.#signal = post.signal;
    const first = await this.#exchange(post);
    // The server had closed the idle connection while this request was on its way: that says nothing about the server.
    return "stale" in first ? this.#exchange(post) : first;
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(post: Post): Promise<Answer | PostFailure | { readonly stale: true; readonly error: string; readonly seen: boolean }> {
    return new Promise((resolve) => {
      let asked: ClientRequest;
      let answering = false;
      const fail = (error: unknown): void => {
        const seen = asked.socket !== null && !asked.socket.connecting;
        const text = post.signal.aborted ? messageOf(post.signal.reason) : failureText(error, post.hop.url);
        const stale = asked.reusedSocket && !answering && !post.signal.aborted;
        resolve(stale ? { stale, error: text, seen } : { error: text, seen });
      };
      try {
        asked = request(this.#options(post));
      } catch (error) {
        return resolve({ error: messageOf(error), seen: false });
      }
      asked.on("error", fail);
      asked.on("response", (response) => {
        answering = true;
        readAnswer(response, post).then(resolve, (error: unknown) => {
          asked.destroy();
          fail(error);
        });
      });
      asked.end(post.body);
    });
  }

  #options({ hop, headers, body, signal }: Post): RequestOptions {
    const { url } = hop;
    const relay = relayFor(url, this.#route);
    const authorization = relay === null ? undefined : basicAuthorization(relay);
    const target = url.pathname + url.search;
    return {
      method: "POST",
      agent: this.#agent,
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: portOf(url),
      path: relay === null ? target : `http://${url.host}${target}`,
      headers: {
        ...headers,
        host: url.host,
        "content-type": "application/x-protobuf",
        "content-length": body.length,
        "accept-encoding": "gzip",
        ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
      },
      signal,
    };
  }
}

class DialingAgent extends Agent {
  readonly #dial: () => Promise<Socket>;

  constructor(dial: () => Promise<Socket>) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#dial = dial;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, socket: Socket) => void): undefined {
    this.#dial().then(
      (socket) => callback?.(null, socket),
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
  }
}

async function readAnswer(response: IncomingMessage, { answerBytesMax, onProgress }: Post): Promise<Answer> {
  const status = response.statusCode ?? 0;
  const answer = { status, location: response.headers.location, retryAfter: response.headers["retry-after"] };
  if (status !== 200) return { ...answer, body: await readSome(response) };
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    onProgress();
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw tooLarge(answerBytesMax);
    chunks.push(chunk);
  }
  return { ...answer, body: await decoded(Buffer.concat(chunks), response.headers["content-encoding"] ?? "", answerBytesMax) };
}

/** The text of a refusal, for people; the rest of a long one is thrown away with its connection. */
async function readSome(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > TEXT_BYTES_MAX) break;
  }
  const plain = (response.headers["content-encoding"] ?? "") === "";
  return plain ? Buffer.concat(chunks) : new Uint8Array();
}

async function decoded(body: Buffer, encoding: string, bytesMax: number): Promise<Uint8Array> {
  if (body.length === 0 || encoding === "" || encoding === "identity") return body;
  if (encoding !== "gzip") throw new SupervisorError("server", `the answer has content-encoding ${encoding}, which was not asked for`);
  try {
    return await unzip(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    throw new SupervisorError("server", `the answer is not gzip although it says so: ${messageOf(error)}`, { cause: error });
  }
}

function tooLarge(bytesMax: number): SupervisorError {
  return new SupervisorError("server", `the answer has more than ${bytesMax} bytes and is discarded`);
}

function failureText(error: unknown, url: URL): string {
  const where = whereOf(url);
  if (error instanceof SupervisorError) return error.message.startsWith("the answer") ? `${where}: ${error.message}` : error.message;
  const text = messageOf(error);
  if (/Parse Error/.test(text)) {
    return `${where}: it does not speak HTTP; check the port${isSecure(url) ? "" : ", and whether it wants https://"}`;
  }
  if (/socket hang up|aborted/.test(text)) return `${where}: the connection was closed before the answer was complete`;
  return connectionErrorText(error, where);
}
