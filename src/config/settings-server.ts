/** `server`: where the OpAMP server is and what is sent along. */
import type { ServerSettings } from "./settings.js";
import { nearest } from "./settings-nearest.js";
import type { Section } from "./settings-section.js";
import { readTls } from "./settings-tls.js";

const SCHEMES = ["http", "https", "ws", "wss"];

export function readServer(server: Section, cwd: string): ServerSettings {
  const endpoint = readEndpoint(server);
  const usesTls = /^(wss|https):/i.test(endpoint);
  return { endpoint, headers: readHeaders(server), tls: readTls(server.section("tls"), cwd, usesTls) };
}

function readEndpoint(server: Section): string {
  const text = server.text("endpoint", "");
  const expected = "expected e.g. wss://opamp.example.com:4320/v1/opamp";
  if (text === "") {
    server.error("endpoint", `server::endpoint must be specified; ${expected}`);
    return text;
  }
  // Go dials localhost when there is no host, and its packaged example is written so.
  const endpoint = text.replace(/^([A-Za-z]+):\/\/(?=:\d)/, "$1://localhost");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(endpoint)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.includes(scheme)) {
    server.error("endpoint", schemeText(scheme));
    return endpoint;
  }
  const reason = urlProblem(endpoint);
  if (reason !== null) server.error("endpoint", `invalid URL for server::endpoint: ${reason}; ${expected}`);
  return endpoint;
}

function schemeText(scheme: string): string {
  const meant = nearest(scheme, SCHEMES);
  const suggestion = meant === null ? "if that is a host, write ws:// or wss:// in front" : `did you mean "${meant}"?`;
  return `invalid scheme "${scheme}" for server::endpoint, must be one of "http", "https", "ws", or "wss"; ${suggestion}`;
}

/** The address itself is not repeated: it may carry a password. */
function urlProblem(endpoint: string): string | null {
  if (/\s/.test(endpoint)) return "it holds white space";
  if (!/^[A-Za-z]+:\/\//.test(endpoint)) return "it does not begin with a scheme and //";
  if (!URL.canParse(endpoint)) return "host or port is malformed";
  if (endpoint.includes("#")) return "it holds a # part, which is never sent";
  return null;
}

/** Names and values that HTTP can carry; found here, they do not fail each connection later. */
function readHeaders(server: Section): ServerSettings["headers"] {
  return server.textsMap("headers", (name, values) => {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return "not a header name; expected letters, digits and hyphens";
    const carried = values.every((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value));
    return carried ? null : "a value with characters that a header cannot carry, e.g. a line break";
  });
}
