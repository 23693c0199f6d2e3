/** What the Collector prints, and what of it is seen where. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { nopPipeline } from "./support/configs.js";
import { setStage } from "./support/stage.js";

test("agent.log holds the Collector's output as JSON lines, and the supervisor's log does not", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  const lines = (await stage.host.read("storage/agent.log")).trimEnd().split("\n");
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages).toContain("Everything is ready. Begin running and processing data.");
  expect(supervisor.said("Everything is ready. Begin running and processing data.")).toEqual([]);
  for (const line of supervisor.log) expect(line).toMatchObject({ level: expect.stringMatching(/^(info|warn)$/) as string, logger: "supervisor", ts: expect.any(Number) as number });
});

test("passthrough_logs shows it in the supervisor's log, under the name collector", async () => {
  const stage = await setStage({ sections: { agent: { passthrough_logs: true } } });
  const supervisor = await stage.up();
  const line = await supervisor.logs("Everything is ready. Begin running and processing data.");
  expect(line).toMatchObject({ level: "info", logger: "collector", collector_ts: expect.any(String) as string });
});

test("the health check endpoint answers while the supervisor runs", async () => {
  const port = await freePort();
  const stage = await setStage({ sections: { healthcheck: { endpoint: `127.0.0.1:${port}` } } });
  const supervisor = await stage.up();
  const url = `http://127.0.0.1:${port}/health`;
  await vi.waitFor(async () => expect((await fetch(url)).status).toBe(200));
  await supervisor.end();
  await expect(fetch(url)).rejects.toThrow();
});

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
