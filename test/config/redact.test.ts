/** What is reported to the server: references instead of their values, and no value of a secret key. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { redactConfig } from "../../src/config/compose.js";

const folder = mkdtempSync(join(tmpdir(), "redact-"));
afterAll(() => rmSync(folder, { recursive: true }));
const R = '"[REDACTED]"';

describe("what came from a reference is shown as the reference", () => {
  const env = { TOKEN: "tok-7f3a9c", PORT: "4317", HOST: "collector.internal" };
  test.each([
    ["a whole value", "a: ${env:TOKEN}", "a: tok-7f3a9c", "a: ${env:TOKEN}\n"],
    ["the short form", "a: ${TOKEN}", "a: tok-7f3a9c", "a: ${TOKEN}\n"],
    ["a number", "a: ${env:PORT}", "a: 4317", "a: ${env:PORT}\n"],
    ["a part of a text", "a: x-${env:TOKEN}-y", "a: x-tok-7f3a9c-y", "a: x-${env:TOKEN}-y\n"],
    ["a default that was used", "a: ${env:UNSET:-fallback}", "a: fallback\nb: fallback", "a: ${env:UNSET:-fallback}\nb: fallback\n"],
    ["a nested reference", "a: ${env:T_${env:X}}", "a: whatever", 'a: "${env:T_${env:X}}"\n'],
    ["an item of a list", "a: [one, '${env:TOKEN}']", "a: [one, tok-7f3a9c]", "a:\n  - one\n  - ${env:TOKEN}\n"],
    ["a whole section", "a: {b: '${file:/nowhere/b.yaml}'}", "a: {b: {c: [1, {d: deep}]}}", "a:\n  b: ${file:/nowhere/b.yaml}\n"],
    ["a copy in a default", "a: 'https://${env:HOST}'", "a: https://collector.internal\nb: 'https://collector.internal/v1/logs'", "a: https://${env:HOST}\nb: https://${env:HOST}/v1/logs\n"],
    ["a copy of a value that only the report shows", "a: ${http:secret}", "a: learnt-value\nb: [see learnt-value]", "a: ${http:secret}\nb:\n  - \"see ${http:secret}\"\n"],
    ["a list that grew", "a: ['${env:TOKEN}']", "a: [added, tok-7f3a9c]", "a:\n  - added\n  - ${env:TOKEN}\n"],
    ["an escaped one is none", "a: $${env:TOKEN}", "a: ${env:TOKEN}", "a: ${env:TOKEN}\n"],
    ["short and common values stay elsewhere", "a: ${env:PORT}", "a: 4317\nb: 127.0.0.1:4317\nc: 4317", "a: ${env:PORT}\nb: 127.0.0.1:4317\nc: 4317\n"],
  ])("%s", async (_what, composed, reported, shown) => {
    expect(await redactConfig({ composed, reported, env })).toBe(shown);
  });

  test("the values of a file, wherever they went", async () => {
    const file = join(folder, "secret.txt");
    writeFileSync(file, "from-the-file-1234\n");
    const shown = await redactConfig({ composed: `a: \${file:${file}}`, reported: "a: from-the-file-1234\nb: [x from-the-file-1234 y]", env: {} });
    expect(shown).toBe(`a: \${file:${file}}\nb:\n  - "x \${file:${file}} y"\n`);
  });
});

describe("values of secret keys are hidden", () => {
  test.each([
    "password", "db_password", "basicPassword", "passphrase", "token", "auth_token", "api_key", "apiKey", "X-Api-Key", "secret", "client_secret",
    "secret_access_key", "authorization", "Authorization", "proxy-authorization", "private_key", "credentials", "connection_string", "cookie", "key_pem", "bearer",
  ])("%s", async (key) => {
    expect(await redactConfig({ composed: "", reported: `a: {${key}: abc}`, env: {} })).toBe(`a:\n  ${key}: ${R}\n`);
  });

  test.each([
    "token_url", "token_file", "key_file", "password_file", "max_tokens", "tokenizer", "secret_name", "api_key_header", "allowed_headers", "endpoint", "keys", "key", "authenticator",
  ])("%s is no secret", async (key) => {
    expect(await redactConfig({ composed: "", reported: `a: {${key}: abc}`, env: {} })).toBe(`a:\n  ${key}: abc\n`);
  });

  test.each([
    ["all headers", "headers: {x-tenant: a, accept: b}", `headers:\n  accept: ${R}\n  x-tenant: ${R}\n`],
    ["headers as a list", "headers: [{name: x-tenant, value: a}]", `headers:\n  - name: x-tenant\n    value: ${R}\n`],
    ["a named value", "actions: [{key: authorization, action: insert, value: a}]", `actions:\n  - action: insert\n    key: authorization\n    value: ${R}\n`],
    ["a number", "password: 12345", `password: ${R}\n`],
    ["a block", "a:\n  private_key: |\n    one\n    two\n", `a:\n  private_key: ${R}\n`],
    ["the key of an api", "api: {key: a, site: b}", `api:\n  key: ${R}\n  site: b\n`],
    ["switches and nothing are kept", "token: null\npassword: ''\nsecret: true", 'password: ""\nsecret: true\ntoken: null\n'],
    ["a password in a URL", "a: https://me:hunter22@host/x", 'a: "https://me:[REDACTED]@host/x"\n'],
    ["a key in a URL", "a: https://0123abcd@host/1", 'a: "https://[REDACTED]@host/1"\n'],
    ["a token in a query", "a: 'https://host/x?token=abc&b=1'", 'a: "https://host/x?token=[REDACTED]&b=1"\n'],
    ["a bearer token in a text", "a: 'curl -H \"Authorization: Bearer abcdef123456\"'", "a: 'curl -H \"Authorization: Bearer [REDACTED]\"'\n"],
    ["a private key in a text", "a: |\n  -----BEGIN RSA PRIVATE KEY-----\n  abc\n  -----END RSA PRIVATE KEY-----\n", 'a: "[REDACTED]\\n"\n'],
  ])("%s", async (_what, reported, shown) => {
    expect(await redactConfig({ composed: "", reported, env: {} })).toBe(shown);
  });

  test("a bare reference may be shown, one with a default or beside other text may not", async () => {
    const text = "a: {token: '${env:T}'}\nb: {token: '${env:T:-hunter22}'}\nc: {token: 'pre-${env:T}'}\nd: {authorization: 'Bearer ${env:T}'}\ne: https://u:${env:T}@h\n";
    expect(await redactConfig({ composed: text, reported: text, env: {} })).toBe(
      `a:\n  token: \${env:T}\nb:\n  token: ${R}\nc:\n  token: ${R}\nd:\n  authorization: "Bearer \${env:T}"\ne: https://u:\${env:T}@h\n`,
    );
  });
});

describe("texts that are no configuration", () => {
  const composed = "a: ${env:TOKEN}";
  const env = { TOKEN: "tok-7f3a9c" };

  test("lines of a log keep their form", async () => {
    const reported = '{"level":"error","msg":"refused tok-7f3a9c","token":"abc","n":1}\n{"msg":"dial https://me:pw123@host"}\nError: password=abc rest\n';
    expect(await redactConfig({ kind: "output", composed, reported, env })).toBe(
      '{"level":"error","msg":"refused ${env:TOKEN}","token":"[REDACTED]","n":1}\n{"msg":"dial https://me:[REDACTED]@host"}\nError: password=[REDACTED] rest\n',
    );
  });

  test("a value that the Collector puts between quotes, and one of its lines alone", async () => {
    const reported = [
      String.raw`Error: unknown level "line-one-secret\nwith \"quotes\""`,
      String.raw`{"msg":"bad","error":"unknown level \"line-one-secret\\nwith \\\"quotes\\\"\""}`,
      "line-one-secret",
    ].join("\n");
    expect(await redactConfig({ kind: "output", composed, reported, env: { TOKEN: 'line-one-secret\nwith "quotes"' } })).toBe(
      [String.raw`Error: unknown level "${"${env:TOKEN}"}"`, String.raw`{"msg":"bad","error":"unknown level \"${"${env:TOKEN}"}\""}`, "${env:TOKEN}"].join("\n"),
    );
  });

  test("broken YAML is never returned as it is", async () => {
    const reported = "a: [tok-7f3a9c\npassword: hunter22\nprivate_key: |\n  one\n  two\nb: 1\n";
    expect(await redactConfig({ composed, reported, env })).toBe("a: [${env:TOKEN}\npassword: [REDACTED]\nprivate_key: [REDACTED]\n  [REDACTED]\n  [REDACTED]\nb: 1\n");
  });

  test("hostile lines cost no time", async () => {
    const reported = ["'".repeat(50_000), "a".repeat(50_000), `a:${" ".repeat(50_000)}`, "a://".repeat(12_000), "${".repeat(25_000), "-----BEGIN ".repeat(5_000), "x-".repeat(25_000)].join("\n");
    const shown = await redactConfig({ kind: "output", composed: "${".repeat(5_000), reported, env: {} });
    expect(shown.split("\n")).toHaveLength(7);
  }, 5_000);
});
