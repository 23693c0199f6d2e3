/**
 * The walkthrough of the official Management page with the real Collector, against a server made with opamp-go: the
 * person's five steps, one test each, in order.
 */
import { createConnection } from "node:net";
import { stat } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { PAGE_YAML, walkthroughYaml } from "./support/configs.js";
import { GoServer, WAIT_MS } from "./support/go-server.js";
import { Host, type Program } from "./support/host.js";
import { missing, needs } from "./support/needs.js";

/** Where a Collector shows its own metrics unless it is told otherwise. */
const METRICS_PORT = 8888;

describe.skipIf(missing || (await taken(METRICS_PORT)))("the walkthrough of the Management page", () => {
  let server: GoServer;
  let host: Host;
  let program: Program;

  beforeAll(async () => {
    host = await Host.create({ path: needs.collector });
    server = await GoServer.start(needs.goServer, { caFile: host.path("ca.pem") });
    await host.write("supervisor.yaml", walkthroughYaml(server.endpoint("wss")));
    program = host.start();
  });
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(host.diagnosis());
  });
  afterAll(async () => {
    await server.stop();
    await host.remove();
  });

  it("shows the agent with its attributes and effective configuration before any remote configuration", async () => {
    await server.until("the agent to be up", (agent) => agent.healthy && agent.effectiveConfig !== "");
    const { agent } = server;
    expect(agent.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Object.fromEntries(agent.attributes)).toMatchObject({
      "service.name": "otelcol",
      "service.version": "0.149.0",
      "service.instance.id": agent.uid,
      "os.type": "linux",
    });
    expect(agent.attributes.get("host.name")).toBeTruthy();
    expect(agent.effectiveConfig).toMatch(/^extensions:/m);
    expect(agent.effectiveConfig).toMatch(/^ +opamp:/m);
    expect(agent.effectiveConfig).not.toContain("hostmetrics");
    expect(agent.status.is).toBe("unset");
  });

  it("sends a first message that is complete", () => {
    const [first] = server.agent.messages;
    expect(first?.sequenceNum).toBe(0n);
    expect(first?.agentDescription?.identifyingAttributes.map(({ key }) => key)).toContain("service.name");
    expect(first?.health).toBeDefined();
    expect(first?.remoteConfigStatus).toBeDefined();
    expect(first?.capabilities).not.toBe(0n);
    expect(server.connections.map(({ transport }) => transport)).toEqual(["websocket"]);
  });

  it("applies what the page has its reader paste", async () => {
    const hash = await server.offer(PAGE_YAML);
    const applied = "the page's configuration to be applied, shown and up";
    await server.until(applied, (agent) => agent.courseOf(hash).includes("applied") && agent.healthy && agent.effectiveConfig.includes("hostmetrics"));
    expect(server.agent.courseOf(hash)).toEqual(["applying", "applied"]);
    expect(server.agent.effectiveConfig).toMatch(/verbosity: detailed/i);
    expect(server.agent.health?.lastError).toBe("");
    expect(server.agent.health?.startTimeUnixNano).toBeGreaterThan(0n);
  });

  it("gives the Collector's own metrics the instance uid of the agent", async () => {
    await vi.waitFor(
      async () => {
        const text = await (await fetch(`http://localhost:${METRICS_PORT}/metrics`)).text();
        const target = text.split("\n").find((line) => line.startsWith("target_info{"));
        expect(target).toContain(`service_instance_id="${server.agent.uid}"`);
      },
      { timeout: WAIT_MS, interval: 100 },
    );
  });

  it("keeps the Collector's output as JSON lines and shows what it runs", async () => {
    const lines = (await host.read("storage/agent.log")).split("\n").slice(0, -1);
    const messages = lines.map((line) => (JSON.parse(line) as { msg: unknown }).msg);
    expect(messages).toContain("Everything is ready. Begin running and processing data.");
    expect(await host.read("storage/effective.yaml")).toContain("hostmetrics");
    expect(((await stat(host.storage)).mode & 0o777).toString(8)).toBe("700");
    for (const name of ["agent.log", "effective.yaml", "persistent_state.yaml"]) {
      expect(((await stat(`${host.storage}/${name}`)).mode & 0o777).toString(8), name).toBe("600");
    }
  });

  it("stops the Collector, says goodbye and ends with exit code 0", async () => {
    expect(await host.collectors()).toHaveLength(1);
    expect(await program.end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(await host.collectors()).toEqual([]);
    await server.until("the goodbye", (agent) => agent.disconnected);
    expect(server.unreadable).toEqual([]);
  });
});

function taken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
