import { gzipSync } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../support/opamp-server.js";
import { firstMessage, httpAgent, UID } from "./scripted-agent.js";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ pagePort: 0, otlpPort: 0 });
});
afterEach(() => server.close());

type Field = readonly [number, string | readonly Field[]];
function message(...fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) writer.tag(number, WireType.LengthDelimited).bytes(typeof value === "string" ? new TextEncoder().encode(value) : message(...value));
  return writer.finish();
}

const attribute = (key: string, value: string): Field => [1, [[1, key], [2, [[1, value]]]]];
const resource: Field = [1, [attribute("service.name", "otelcol"), attribute("service.instance.id", UID)]];

function send(signal: string, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.otlpUrl ?? ""}/v1/${signal}`, { method: "POST", body: Buffer.from(body as string), headers: { "content-type": "application/x-protobuf", ...headers } });
}

async function seen(): Promise<unknown> {
  return ((await (await fetch(new URL("/api/telemetry", server.pageUrl ?? ""))).json()) as { senders: unknown }).senders;
}

it("protobuf: whose it is, how much, and the names", async () => {
  const metrics = message([1, [resource, [2, [[2, [[1, "requests"]]], [2, [[1, "errors"]]]]]]]);
  expect((await send("metrics", metrics)).status).toBe(200);
  expect((await send("metrics", gzipSync(metrics), { "content-encoding": "gzip" })).status).toBe(200);
  await send("logs", message([1, [resource, [2, [[2, [[5, [[1, "hello"]]]]]]]]]));
  await send("traces", message([1, [resource, [2, [[2, [[5, "GET /"]]]]]]]));
  expect(await seen()).toMatchObject([
    {
      instanceId: UID,
      serviceName: "otelcol",
      signals: {
        metrics: { requests: 2, items: 4, lastNames: ["requests", "errors"], lastEncoding: "protobuf", lastBytes: metrics.length },
        logs: { requests: 1, items: 1, lastNames: ["hello"] },
        traces: { requests: 1, items: 1, lastNames: ["GET /"] },
      },
    },
  ]);
});

it("JSON the same", async () => {
  const attributes = [{ key: "service.instance.id", value: { stringValue: UID } }];
  const body = { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics: [{ name: "m", sum: { dataPoints: [] } }] }] }] };
  const response = await send("metrics", JSON.stringify(body), { "content-type": "application/json" });
  expect([response.status, await response.json()]).toEqual([200, {}]);
  expect(await seen()).toMatchObject([{ instanceId: UID, signals: { metrics: { items: 1, lastNames: ["m"], lastEncoding: "json" } } }]);
});

it("the agent that it belongs to shows it", async () => {
  await httpAgent(server).ask(firstMessage());
  await send("metrics", message([1, [resource, [2, [[2, [[1, "up"]]]]]]]));
  const agent = (await (await fetch(new URL(`/api/agents/${UID}`, server.pageUrl ?? ""))).json()) as { telemetry: unknown };
  expect(agent.telemetry).toMatchObject({ signals: { metrics: { lastNames: ["up"] } } });
});

it.each([
  ["metrics", "not protobuf at all", {}, 400],
  ["metrics", "{", { "content-type": "application/json" }, 400],
  ["metrics", "[]", { "content-type": "application/json" }, 400],
  ["nothing", "", {}, 404],
])("a bad request to %s is refused", async (signal, body, headers: Record<string, string>, status) => {
  expect((await send(signal, body, headers)).status).toBe(status);
  expect(await seen()).toEqual([]);
});

it("an agent of this host with ReportsOwnMetrics is told of it once, others never", async () => {
  const willing = httpAgent(server);
  const capabilities = 0x41n;
  const first = await willing.ask(firstMessage({ capabilities }));
  expect(first.connectionSettings?.ownMetrics?.destinationEndpoint).toBe(`${server.otlpUrl ?? ""}/v1/metrics`);
  expect(first.connectionSettings?.hash).toHaveLength(32);
  expect((await willing.ask({ capabilities })).connectionSettings).toBeUndefined();
  const other = Uint8Array.from({ length: 16 }, () => 7);
  expect((await httpAgent(server).ask({ ...firstMessage(), instanceUid: other })).connectionSettings).toBeUndefined();
});
