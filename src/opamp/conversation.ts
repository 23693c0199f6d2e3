/**
 * What the client knows of a transport: one conversation with the server, from the attempt to connect until it ends for
 * whatever reason. A conversation never comes back; the client starts the next one.
 */
import type { Event } from "../core/event.js";
import type { Millis } from "../core/values.js";
import type { Clock } from "../lib/clock.js";
import type { Logger } from "../lib/log.js";
import { basicAuthorization, isSecure, type Route } from "./connect.js";
import type { Ending } from "./ending.js";
import type { Limits } from "./limits.js";
import type { Session } from "./session.js";

export interface Conversation {
  /** Resolves once, when nothing of it is left. */
  readonly ended: Promise<Ending>;
  /** There may be something new to send. */
  wake(): void;
  /** Sends what is pending with agent_disconnect and closes, at most for this long. */
  leave(budgetMs: Millis): void;
}

/** What both transports need. */
export interface Peer {
  readonly endpoint: URL;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly route: Route;
  readonly session: Session;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Limits;
  /** Null: no heartbeats; plain HTTP polls nevertheless. */
  readonly heartbeatMs: Millis | null;
  readonly onEvents: (events: readonly Event[]) => void;
  /** The server has answered without an error; once for each conversation. */
  readonly onUseful: () => void;
}

/** Where a request goes, and whether that is still the configured origin, which may see our credentials. */
export interface Hop {
  readonly url: URL;
  readonly trusted: boolean;
}

/** The next hop, or why it is not followed (AMB-08). Credentials stay at home, and encryption is never given up. */
export function redirect(from: Hop, location: string | undefined, endpoint: URL): Hop | string {
  if (location === undefined || !URL.canParse(location, from.url.href)) return "the server redirects without saying where to";
  const url = sameTransport(new URL(location, from.url.href), endpoint);
  if (!["ws:", "wss:", "http:", "https:"].includes(url.protocol)) return `the server redirects to a ${url.protocol} address`;
  if (isSecure(from.url) && !isSecure(url)) {
    return `the server redirects to ${url.protocol}//${url.host}, which is not encrypted; this is not followed`;
  }
  const sameOrigin = url.protocol === endpoint.protocol && url.host === endpoint.host;
  return { url, trusted: from.trusted && sameOrigin };
}

/** Configured headers, and the credentials of the endpoint's URL unless a header says otherwise. */
export function credentialHeaders({ endpoint, headers }: Peer): Record<string, string[]> {
  const named: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(headers)) named[name.toLowerCase()] = [...values];
  const basic = basicAuthorization(endpoint);
  if (basic !== undefined) named["authorization"] ??= [basic];
  return named;
}

function sameTransport(url: URL, endpoint: URL): URL {
  const webSocket = endpoint.protocol.startsWith("ws");
  const scheme = webSocket ? url.protocol.replace(/^http/, "ws") : url.protocol.replace(/^ws/, "http");
  return new URL(scheme + url.href.slice(url.protocol.length));
}
