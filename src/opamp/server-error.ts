/** What went wrong on the way to the server, for a person: the cause and what to do, instead of codes of Node and OpenSSL. */
import { messageOf } from "../lib/error.js";

/** @param where host and port of the party that was dialled; never a whole URL, which may carry a password. */
export function connectionErrorText(error: unknown, where: string): string {
  const cause = firstCause(error);
  const code = codeOf(cause);
  const known = (code === "" ? undefined : TEXTS[code]) ?? (isTlsCode(code) ? "the TLS handshake failed" : undefined);
  if (known !== undefined) return `${where}: ${known} (${detail(cause, code)})`;
  return `${where}: ${messageOf(cause)}`;
}

const CHECK_CA =
  "its certificate cannot be verified; name its CA in server.tls.ca_file, or set server.tls.insecure_skip_verify to go without";

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused; is the server running, and is server.endpoint right?",
  ENOTFOUND: "the name cannot be resolved; check server.endpoint and the DNS",
  EAI_AGAIN: "the name cannot be resolved now; the DNS does not answer",
  EHOSTUNREACH: "no route to the host; check the network or firewall",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "no answer; check the network or firewall",
  ECONNRESET: "the connection was reset by the other side",
  EPIPE: "the connection was closed by the other side",
  DEPTH_ZERO_SELF_SIGNED_CERT: CHECK_CA,
  SELF_SIGNED_CERT_IN_CHAIN: CHECK_CA,
  UNABLE_TO_GET_ISSUER_CERT: CHECK_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CHECK_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CHECK_CA,
  CERT_UNTRUSTED: CHECK_CA,
  CERT_SIGNATURE_FAILURE: CHECK_CA,
  CERT_HAS_EXPIRED: "its certificate has expired; renew it, or check the clock of this host",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; check the clock of this host",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "its certificate is made out to another name; use that name in server.endpoint, or set server.tls.server_name_override",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS; use ws:// or http:// in server.endpoint, or another port",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a client certificate; set server.tls.cert_file and key_file",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "no TLS version in common; check server.tls.min_version and max_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "no TLS version in common; check server.tls.min_version and max_version",
};

/** Several addresses were tried: the first error tells as much as all of them. */
function firstCause(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

function isTlsCode(code: string): boolean {
  return code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO";
}

/** OpenSSL's own text begins with addresses of its memory and source files. */
function detail(error: unknown, code: string): string {
  return isTlsCode(code) ? code : messageOf(error).split("\n")[0] ?? code;
}
