/**
 * Which proxy the environment names for an endpoint, by Go's rules: HTTP_PROXY and HTTPS_PROXY, upper case first; NO_PROXY
 * with host names (their subdomains included), `.domain`, addresses, networks in CIDR form, and ports. This host itself
 * is never reached through a proxy.
 */
import { BlockList, isIP } from "node:net";
import { SupervisorError } from "../lib/error.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** Null: connect directly. Throws for a proxy that cannot be used. */
export function proxyFor(target: URL, env: Environment): URL | null {
  const secure = target.protocol === "wss:" || target.protocol === "https:";
  const name = secure ? "HTTPS_PROXY" : "HTTP_PROXY";
  const text = variable(env, name);
  const host = bareHost(target);
  if (text === "" || isThisHost(host)) return null;
  const port = target.port === "" ? (secure ? "443" : "80") : target.port;
  if (variable(env, "NO_PROXY").split(",").some((rule) => isExempt(rule.trim().toLowerCase(), host, port))) return null;
  return parseProxy(text, name);
}

/** Host name or address, IPv6 without its brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

function variable(env: Environment, name: string): string {
  const upper = env[name] ?? "";
  return upper === "" ? (env[name.toLowerCase()] ?? "") : upper;
}

function parseProxy(text: string, name: string): URL {
  const address = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
  const parsed = URL.canParse(address) ? new URL(address) : null;
  if (parsed === null) throw new SupervisorError("server", `the proxy in ${name} is not a URL; expected e.g. http://proxy.example.com:3128`);
  if (parsed.protocol === "http:" || parsed.protocol === "https:") return parsed;
  throw new SupervisorError("server", `the proxy in ${name} has scheme "${parsed.protocol.slice(0, -1)}"; only http and https are supported`);
}

function isThisHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function isExempt(rule: string, host: string, port: string): boolean {
  if (rule === "") return false;
  if (rule === "*") return true;
  if (rule.includes("/")) return isInNetwork(rule, host);
  const [, name = rule, rulePort = ""] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(rule) ?? [];
  if (rulePort !== "" && rulePort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (isIP(bare) !== 0) return bare === host;
  const domain = bare.replace(/^\*?\./, "");
  return host.endsWith(`.${domain}`) || (bare === domain && host === domain);
}

function isInNetwork(rule: string, host: string): boolean {
  const [network = "", prefix = ""] = rule.split("/");
  const families = { 4: "ipv4", 6: "ipv6" } as const;
  const family = families[isIP(network) as 4 | 6] as "ipv4" | "ipv6" | undefined;
  const bits = Number(prefix);
  if (family === undefined || !/^\d+$/.test(prefix) || bits > (family === "ipv4" ? 32 : 128) || isIP(host) === 0) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}
