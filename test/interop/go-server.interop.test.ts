/** Both transports, each with and without TLS, against opamp-go: one story for all four. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.js";
import { nopPipeline, PAGE_YAML } from "./support/configs.js";
import { missing } from "./support/needs.js";
import { stages } from "./support/stage.js";

/** Reports and offers must not chase each other: so many messages at most in a while in which nothing happens. */
const QUIET_MESSAGES_MAX = 12;
const QUIET_MS = 3_000;

describe.skipIf(missing).each(["ws", "wss", "http", "https"] as const)("opamp-go over %s", (scheme) => {
  const setStage = stages();

  it("applies, refuses with the reason, restarts and leaves, in the order of the server's wishes", async () => {
    const { server, host } = await setStage({ scheme, yaml: { headers: { Authorization: "Bearer of-the-test" } } });
    // Each is the answer to a report, so that plain HTTP gets them without waiting for its next poll.
    const first = await server.offer(nopPipeline("one"));
    const second = await server.offer(PAGE_YAML, "applied");
    const refused = await server.offer(nopPipeline("three").replace("receivers:\n", "receivers:\n  no_such_receiver:\n"), "applied");
    await server.restart("failed");
    const program = host.start();

    await server.until("the bad configuration to be refused", (agent) => agent.courseOf(refused).includes("failed"));
    const { agent } = server;
    const course = agent.statuses.filter(({ hash }) => hash !== "").map(({ hash, is }) => `${is} ${hash}`);
    expect(course).toEqual([
      `applying ${first}`,
      `applied ${first}`,
      `applying ${second}`,
      `applied ${second}`,
      `applying ${refused}`,
      `failed ${refused}`,
    ]);
    expect(agent.status.error).toContain("no_such_receiver");

    const before = agent.health?.startTimeUnixNano ?? 0n;
    await server.until("the restart", ({ health, healthy }) => healthy && (health?.startTimeUnixNano ?? 0n) > before);
    expect(agent.effectiveConfig).toContain("hostmetrics");
    expect(await host.collectors()).toHaveLength(1);
    expect(agent.messages.map(({ sequenceNum }) => Number(sequenceNum))).toEqual(agent.messages.map((_, index) => index));
    expect(new Set(server.connections.map(({ transport }) => transport))).toEqual(new Set([scheme.startsWith("ws") ? "websocket" : "http"]));
    for (const { headers } of server.connections) expect(headers["Authorization"]).toEqual(["Bearer of-the-test"]);

    expect(await program.end("SIGTERM")).toEqual({ code: 0, signal: null });
    await server.until("the goodbye", ({ disconnected }) => disconnected);
    expect(await host.collectors()).toEqual([]);
    expect(server.unreadable).toEqual([]);
  });
});

describe.skipIf(missing)("opamp-go with a certificate of a CA that nobody told us of", () => {
  const setStage = stages();

  it.each(["wss", "https"] as const)("is not spoken to over %s, and the log says why", async (scheme) => {
    const { server, host } = await setStage({ scheme, yaml: { tls: [] } });
    const program = host.start();
    await expect.poll(() => program.output, { timeout: 15_000 }).toMatch(/certificate/i);
    expect(server.agent.messages).toEqual([]);
    expect(await program.end("SIGTERM")).toEqual({ code: 0, signal: null });
  });
});

describe.skipIf(missing)("a server that acts like opamp-go's example", () => {
  const setStage = stages();

  it("may send an empty configuration on first contact: nothing runs, and that is fine", async () => {
    const { server, host } = await setStage({ server: { likeExample: true } });
    host.start();
    await server.until("the empty configuration to be applied", ({ status }) => status.is === "applied");
    await server.until("nothing to run to count as up", ({ health, healthy }) => healthy && health?.startTimeUnixNano === 0n);
    expect(await host.collectors()).toEqual([]);

    const hash = await server.offer(PAGE_YAML);
    await server.until("the page's configuration to be applied and up", ({ healthy, status }) => healthy && status.is === "applied" && status.hash === hash);
    expect(server.agent.courseOf(hash)).toEqual(["applying", "applied"]);
    expect(await host.collectors()).toHaveLength(1);
  });

  it("may offer its configuration in every answer over HTTP without setting off a storm", async () => {
    const { server, host } = await setStage({ scheme: "http", server: { likeExample: true } });
    host.start();
    await server.until("the empty configuration to be applied", ({ status }) => status.is === "applied");
    const before = server.agent.messages.length;
    await systemClock.sleep(QUIET_MS);
    expect(server.agent.messages.length - before).toBeLessThanOrEqual(QUIET_MESSAGES_MAX);
    expect(server.agent.status.is).toBe("applied");
  });
});
