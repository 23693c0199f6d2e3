/** How a connection with the server ended, or why there was none: all that pacing, log and core need to know. */
import type { Millis } from "../core/values.js";

export type Ending =
  /** The network, TLS, a time-out, a protocol error, a status 5xx: come back with backoff. */
  | { readonly is: "lost"; readonly error: string }
  /** 401, 403, 404: somebody has to change something; keep trying, but not often. */
  | { readonly is: "unwelcome"; readonly error: string }
  /** 429, 503, UNAVAILABLE: come back after the delay that it asks for, null for none. */
  | { readonly is: "throttled"; readonly error: string; readonly retryAfterMs: Millis | null }
  /** We closed it. */
  | { readonly is: "closed" };

export type Failure = Exclude<Ending, { is: "closed" }>;

/** What a status other than success of a request or of an upgrade means. */
export function endingOfStatus(status: number, retryAfterMs: Millis | null, what: string): Failure {
  const error = `${what} (HTTP ${status})`;
  if (status === 429 || status === 503) {
    return { is: "throttled", error: `the server is busy: ${error}`, retryAfterMs };
  }
  switch (status) {
    case 401:
      return { is: "unwelcome", error: `the server refuses the credentials: ${error}; check server.headers and the client certificate` };
    case 403:
      return { is: "unwelcome", error: `the server forbids access: ${error}; check server.headers and what this agent may do there` };
    case 404:
      return { is: "unwelcome", error: `the server does not know the path: ${error}; check server.endpoint, usually it ends in /v1/opamp` };
    default:
      return { is: "lost", error };
  }
}
