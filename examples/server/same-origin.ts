/**
 * The page has no login, so nobody else's page in the same browser may use it: writes must come from our own origin
 * (or from no browser at all), and our own origin must not be a name that somebody else's DNS points at us.
 */
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { IncomingMessage } from "node:http";
import { Refused } from "./refused.js";

/** Throws `Refused` (403). */
export function refuseForeign(request: IncomingMessage): void {
  const { host = "", origin } = request.headers;
  if (!isOurName(host)) throw new Refused(403, `the page is not served under the name ${host}; use localhost or an IP address`);
  if (request.method === "GET" || request.method === "HEAD") return;
  const site = request.headers["sec-fetch-site"];
  const isOwnSite = site === undefined || site === "same-origin" || site === "none";
  if (!isOwnSite || (origin !== undefined && origin !== `http://${host}`)) {
    throw new Refused(403, "requests of other web pages are refused");
  }
}

/** A foreign page can only have a name with a dot in it, which is neither an address nor the name of this machine. */
function isOurName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "").toLowerCase();
  return isIP(name) !== 0 || !name.includes(".") || name === hostname().toLowerCase();
}
