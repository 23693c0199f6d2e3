import { request as httpRequest } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../support/opamp-server.js";
import { firstMessage, httpAgent, UID, webSocketAgent } from "./scripted-agent.js";

let server: TestServer;
let page: string;
beforeEach(async () => {
  server = await startTestServer({ pagePort: 0 });
  page = server.pageUrl ?? "";
});
afterEach(() => server.close());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(new URL(path, page), {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

/** `fetch` does not let one choose Host, Origin and Sec-Fetch-Site. */
function statusOf(method: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL("/api/drop-connections", page), { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject).end();
  });
}

it("lists agents in short", async () => {
  await httpAgent(server).ask(firstMessage());
  const { json } = await call("GET", "/api/agents");
  expect(json.agents).toMatchObject([{ uid: UID, name: "otelcol", up: true, liveness: "up", transport: "http", configStatus: "UNSET", attributes: { "host.name": "box" } }]);
});

it("shows one agent with everything decoded", async () => {
  const kind = (name: string, value: object) => ({ key: name, value: { value } });
  const said = firstMessage({
    agentDescription: {
      identifyingAttributes: [kind("service.name", { case: "stringValue", value: "x" })] as never,
      nonIdentifyingAttributes: [
        kind("big", { case: "intValue", value: 9_007_199_254_740_993n }),
        kind("list", { case: "arrayValue", value: { values: [{ value: { case: "boolValue", value: true } }] } }),
      ] as never,
    },
    health: { healthy: false, lastError: "sick", startTimeUnixNano: 1_700_000_000_000_000_000n, componentHealthMap: { "pipeline:traces": { healthy: true } } },
    capabilities: 0x1n | 0x8000_0000_0000n,
  });
  await httpAgent(server).ask(said);
  const { json } = await call("GET", `/api/agents/${UID}`);
  expect(json).toMatchObject({
    nonIdentifyingAttributes: { big: "9007199254740993", list: [true] },
    health: { healthy: false, lastError: "sick", startTime: "2023-11-14T22:13:20.000Z", components: { "pipeline:traces": { healthy: true, startTime: null } } },
    effectiveConfig: [{ name: "", body: "receivers: {}\n" }],
    remoteConfig: { state: "UNSET", offer: null },
    acceptsRemoteConfig: false,
  });
  const on = (json.capabilities as { name: string; isOn: boolean }[]).filter((one) => one.isOn).map((one) => one.name);
  expect(on).toEqual(["ReportsStatus", "0x800000000000"]);
});

it("tells messages of both ways, decoded, and only the newer ones when asked", async () => {
  await httpAgent(server).ask(firstMessage());
  const { json } = await call("GET", `/api/agents/${UID}/messages`);
  expect(json.messages).toMatchObject([
    { number: 1, direction: "received", sequence: 0, summary: "description, healthy, effective configuration, remote configuration UNSET", content: { instance_uid: UID, health: { healthy: true } } },
    { number: 2, direction: "sent", sequence: null, summary: "acknowledged", content: { instance_uid: UID, capabilities: ["AcceptsStatus", "OffersRemoteConfig", "AcceptsEffectiveConfig", "AcceptsPackagesStatus"] } },
  ]);
  expect((await call("GET", `/api/agents/${UID}/messages?after=1`)).json.messages).toHaveLength(1);
});

describe("PUT config", () => {
  it("sends it and answers with the hash; broken YAML is sent too, with a hint", async () => {
    const agent = await webSocketAgent(server);
    await agent.ask(firstMessage());
    const { json } = await call("PUT", `/api/agents/${UID}/config`, { files: { "": "a: [", "b.yaml": { body: "b: 1", role: "r" } } });
    const { remoteConfig } = await agent.hear();
    expect(json).toEqual({ hash: Buffer.from(remoteConfig?.configHash ?? []).toString("hex"), isSent: true, warnings: [expect.stringMatching(/^the configuration is not YAML: /)] });
    expect(Object.keys(remoteConfig?.config?.configMap ?? {}).toSorted()).toEqual(["", "b.yaml"]);
    expect(remoteConfig?.config?.configMap["b.yaml"]?.role).toBe("r");
  });

  it("takes a hash of the caller, and an empty set of files", async () => {
    const agent = await webSocketAgent(server);
    await agent.ask(firstMessage());
    await call("PUT", `/api/agents/${UID}/config`, { files: {}, hash: "c0ffee" });
    const { remoteConfig } = await agent.hear();
    expect(Buffer.from(remoteConfig?.configHash ?? []).toString("hex")).toBe("c0ffee");
    expect(remoteConfig?.config?.configMap).toEqual({});
  });

  it.each([
    [{ files: { "": 1 } }, /^files\.: /],
    [{}, /^files: /],
    [{ files: {}, hash: "xyz" }, /^hash: pairs of lower-case hex digits/],
    [{ files: {}, more: 1 }, /^body: .*more/],
  ])("refuses %j with the reason", async (body, reason) => {
    await httpAgent(server).ask(firstMessage());
    const { status, json } = await call("PUT", `/api/agents/${UID}/config`, body);
    expect(status).toBe(400);
    expect(json.error).toMatch(reason);
  });

  it("is 409 for an agent that does not take any, 404 for one that never was", async () => {
    await httpAgent(server).ask(firstMessage({ capabilities: 1n }));
    expect((await call("PUT", `/api/agents/${UID}/config`, { files: {} })).status).toBe(409);
    const stranger = UID.replace("a", "c");
    expect(await call("PUT", `/api/agents/${stranger}/config`, { files: {} })).toEqual({ status: 404, json: { error: `no agent with instance uid ${stranger} was ever seen here` } });
  });
});

it("orders restart, full state and a new identity", async () => {
  const agent = await webSocketAgent(server);
  await agent.ask(firstMessage());
  await call("POST", `/api/agents/${UID}/restart`);
  expect((await agent.hear()).command).toBeDefined();
  await call("POST", `/api/agents/${UID}/full-state`);
  expect((await agent.hear()).flags).toBe(1n);
  const { json } = await call("POST", `/api/agents/${UID}/new-identity`);
  expect(json.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect((await agent.hear()).agentIdentification?.newInstanceUid).toHaveLength(16);
});

it("switches bad modes, for all or for one", async () => {
  await call("PUT", "/api/bad-mode", { is: "unavailable", retryAfterMs: 5 });
  expect((await call("GET", "/api/bad-mode")).json).toMatchObject({ is: "unavailable", retryAfterMs: 5 });
  expect((await httpAgent(server).ask(firstMessage())).errorResponse).toBeDefined();
  await call("PUT", `/api/agents/${UID}/bad-mode`, { is: "full-state-storm", times: 1 });
  expect((await httpAgent(server).ask(firstMessage())).flags).toBe(1n);
  const { status, json } = await call("PUT", "/api/bad-mode", { is: "nice" });
  expect([status, json.error]).toEqual([400, expect.stringContaining("is: ")]);
  expect((await call("PUT", "/api/bad-mode", { is: "reject", status: 503, retryAfter: "1\r\nx: y" })).status).toBe(400);
});

it("has a status for what is not there", async () => {
  expect((await call("GET", "/api/nothing")).status).toBe(404);
  expect(await call("DELETE", "/api/agents")).toEqual({ status: 405, json: { error: "/api/agents takes GET" } });
  expect((await fetch(new URL("/api/bad-mode", page), { method: "PUT", body: "{", headers: { "content-type": "application/json" } })).status).toBe(400);
  expect((await fetch(new URL("/api/bad-mode", page), { method: "PUT", body: '{"is":"none"}', headers: { "content-type": "text/plain" } })).status).toBe(415);
});

describe("nobody else's web page", () => {
  it.each([
    ["without a browser", {}, 200],
    ["from our own page", { origin: "SELF", "sec-fetch-site": "same-origin" }, 200],
    ["from another site", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }, 403],
    ["from another port of this host", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }, 403],
    ["from a sandbox", { origin: "null" }, 403],
    ["under a foreign name that points here", { host: "evil.example", origin: "http://evil.example" }, 403],
  ])("a write %s", async (_name, headers: Record<string, string>, status) => {
    const { origin } = headers;
    const own = new URL(page).origin;
    expect(await statusOf("POST", { ...headers, ...(origin === "SELF" ? { origin: own } : {}) })).toBe(status);
  });

  it("cannot even read under a foreign name", async () => {
    expect(await statusOf("GET", { host: "evil.example" })).toBe(403);
    expect(await statusOf("GET", { host: "localhost" })).toBe(405);
  });
});

it("serves the page and its parts with a policy that allows nothing from elsewhere", async () => {
  const response = await fetch(page);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  const html = await response.text();
  expect(html).toContain("<title>OpAMP server</title>");
  const parts = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? "");
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts) expect((await fetch(new URL(part, page))).status).toBe(200);
  expect(html).not.toMatch(/https?:\/\//);
});

it("tells open pages what changed", async () => {
  const agent = await webSocketAgent(server);
  const stop = new AbortController();
  const response = await fetch(new URL("/api/events", page), { signal: stop.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (word: string): Promise<void> => {
    while (!text.includes(word)) text += (await reader?.read())?.value ?? "";
  };
  await until("event: hello");
  await agent.ask(firstMessage());
  await until('"effectiveConfig"');
  const [change] = JSON.parse(/event: changed\ndata: (.*)\n/.exec(text)?.[1] ?? "[]") as { uid: string; parts: string[] }[];
  expect(change?.uid).toBe(UID);
  expect(change?.parts).toEqual(expect.arrayContaining(["description", "health", "effectiveConfig", "remoteConfig", "messages"]));
  stop.abort();
});
