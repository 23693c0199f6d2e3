/** Which proxy the environment names, by Go's rules. */
import { describe, expect, test } from "vitest";
import { proxyFor } from "../../src/opamp/proxy.js";

const both = { HTTP_PROXY: "http://plain:3128", HTTPS_PROXY: "http://secure:3128" };

function chosen(endpoint: string, env: Record<string, string>): string | null {
  return proxyFor(new URL(endpoint), env)?.host ?? null;
}

describe("proxy", () => {
  test.each([
    ["ws://a.example/x", "plain:3128"],
    ["http://a.example/x", "plain:3128"],
    ["wss://a.example/x", "secure:3128"],
    ["https://a.example/x", "secure:3128"],
    ["wss://localhost/x", null],
    ["wss://127.0.0.9:4320/x", null],
    ["wss://[::1]/x", null],
  ])("for %s", (endpoint, expected) => {
    expect(chosen(endpoint, both)).toBe(expected);
  });

  test("upper case comes first, lower case counts too, a scheme is not needed", () => {
    expect(chosen("ws://a/", { HTTP_PROXY: "upper:1", http_proxy: "lower:1" })).toBe("upper:1");
    expect(chosen("ws://a/", { http_proxy: "lower:1" })).toBe("lower:1");
    expect(chosen("ws://a/", {})).toBeNull();
  });

  test.each([
    ["a.example", "wss://a.example/", true],
    ["example", "wss://a.example/", true],
    [".example", "wss://a.example/", true],
    ["*.example", "wss://a.example/", true],
    [".a.example", "wss://a.example/", false],
    ["b.example, A.EXAMPLE", "wss://a.example/", true],
    ["xample", "wss://a.example/", false],
    ["a.example:443", "wss://a.example/", true],
    ["a.example:444", "wss://a.example/", false],
    ["*", "wss://a.example/", true],
    ["10.0.0.0/8", "wss://10.1.2.3/", true],
    ["10.0.0.0/8", "wss://11.1.2.3/", false],
    ["10.0.0.0/99", "wss://10.1.2.3/", false],
    ["10.1.2.3", "wss://10.1.2.3/", true],
    ["fd00::/8", "wss://[fd00::7]/", true],
    ["[fd00::7]:443", "wss://[fd00::7]/", true],
    ["10.0.0.0/8", "wss://a.example/", false],
    [",,", "wss://a.example/", false],
  ])("NO_PROXY %j exempts %s: %s", (rules, endpoint, exempt) => {
    expect(chosen(endpoint, { ...both, NO_PROXY: rules }) === null).toBe(exempt);
  });

  test("one that cannot be used is named, without its password", () => {
    expect(() => chosen("wss://a.example/", { HTTPS_PROXY: "socks5://u:secret@p:1" })).toThrow('the proxy in HTTPS_PROXY has scheme "socks5"; only http and https are supported');
    expect(() => chosen("wss://a.example/", { HTTPS_PROXY: "http://u:secret@:x" })).toThrow("the proxy in HTTPS_PROXY is not a URL; expected e.g. http://proxy.example.com:3128");
  });
});
