/**
 * The way to a server for both transports: TCP with patience for slow links, through a proxy where the environment names
 * one, TLS where the scheme asks for it. One signal ends it at any point, and every error is a readable one.
 */
import { request } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { SupervisorError } from "../lib/error.js";
import { ADDRESS_MS_MAX } from "./limits.js";
import { bareHost, proxyFor } from "./proxy.js";
import { connectionErrorText } from "./server-error.js";
import type { TlsClient } from "./tls.js";

export interface Route {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tls: TlsClient;
}

/**
 * @param tunnel through a proxy also to a plain endpoint, as WebSocket needs it.
 * @param trusted false behind a redirect to another origin.
 */
export async function openSocket(
  target: URL,
  { env, tls }: Route,
  { tunnel, trusted }: { readonly tunnel: boolean; readonly trusted: boolean },
  signal: AbortSignal,
): Promise<Socket> {
  const secure = isSecure(target);
  const host = bareHost(target);
  const proxy = proxyFor(target, env);
  // Files first: while they are read, nobody would listen to a socket.
  const options = secure ? await tls.options({ host, trusted }) : null;
  const first = proxy ?? target;
  const toProxy = proxy?.protocol === "https:" ? await tls.options({ host: bareHost(proxy), trusted: false }) : null;
  const where = `${proxy === null ? "" : "proxy "}${bareHost(first)}:${portOf(first)}`;
  const socket = await dial(first, toProxy, where, signal);
  if (proxy === null) return options === null ? socket : secured(socket, options, where, signal);
  if (!secure && !tunnel) return socket;
  const through = await openTunnel(socket, target, proxy, signal);
  return options === null ? through : secured(through, options, `${host}:${portOf(target)}`, signal);
}

/** A proxy that takes a plain request itself, so that the request line has to name the whole URL; null for none. */
export function relayFor(target: URL, { env }: Route): URL | null {
  return isSecure(target) ? null : proxyFor(target, env);
}

export function isSecure(url: URL): boolean {
  return url.protocol === "wss:" || url.protocol === "https:";
}

export function portOf(url: URL): string {
  return url.port === "" ? (isSecure(url) ? "443" : "80") : url.port;
}

/** "Basic ..." for credentials in a URL, undefined without. */
export function basicAuthorization(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function dial(to: URL, options: ConnectionOptions | null, where: string, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({
    host: bareHost(to),
    port: Number(portOf(to)),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS_MAX,
    keepAlive: true,
    noDelay: true,
  });
  await ready(socket, "connect", where, signal);
  return options === null ? socket : secured(socket, options, where, signal);
}

async function secured(socket: Socket, options: ConnectionOptions, where: string, signal: AbortSignal): Promise<Socket> {
  const secure = connectTls({ ...options, socket });
  await ready(secure, "secureConnect", where, signal);
  return secure;
}

/** Resolves at the event; any other end destroys the socket. */
function ready(socket: Socket, event: "connect" | "secureConnect", where: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      stop();
      socket.on("error", () => undefined).destroy();
      reject(signal.aborted ? (signal.reason as Error) : new SupervisorError("server", connectionErrorText(error, where), { cause: error }));
    };
    const onClose = (): void => fail(new Error("closed by the other side before the connection was ready"));
    const onAbort = (): void => fail(signal.reason);
    const onReady = (): void => {
      stop();
      resolve();
    };
    const stop = (): void => {
      signal.removeEventListener("abort", onAbort);
      socket.off("error", fail).off("close", onClose).off(event, onReady);
    };
    socket.on("error", fail).on("close", onClose).on(event, onReady);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
}

/** CONNECT: the proxy opens a byte stream to the server (RFC 9110, 9.3.6). */
function openTunnel(socket: Socket, target: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${target.hostname}:${portOf(target)}`;
  const authorization = basicAuthorization(proxy);
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      path: authority,
      createConnection: () => socket,
      headers: { host: authority, ...(authorization === undefined ? {} : { "proxy-authorization": authorization }) },
      signal,
    });
    const fail = (text: string, cause?: unknown): void => {
      socket.on("error", () => undefined).destroy();
      reject(signal.aborted ? (signal.reason as Error) : new SupervisorError("server", `proxy ${bareHost(proxy)}:${portOf(proxy)}: ${text}`, { cause }));
    };
    asked.on("connect", (response, stream, head) => {
      if (response.statusCode !== 200) return fail(refusal(response.statusCode ?? 0));
      if (head.length > 0) stream.unshift(head);
      resolve(stream);
    });
    asked.on("response", (response) => fail(refusal(response.statusCode ?? 0)));
    asked.on("error", (error) => fail(error.message, error));
    asked.end();
  });
}

function refusal(status: number): string {
  if (status === 407) return "it wants credentials (HTTP 407); put them into the proxy's URL";
  return `it refuses a tunnel to the server (HTTP ${status}); allow it there, or add the server to NO_PROXY`;
}
