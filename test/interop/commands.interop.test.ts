/** What an opamp-go server may ask of the agent beside a configuration, and what a lost connection does. */
import { beforeAll, describe, expect, it } from "vitest";
import { nopPipeline } from "./support/configs.js";
import { missing } from "./support/needs.js";
import { stages, type Stage } from "./support/stage.js";

const OTHER_UID = "0197a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

describe.skipIf(missing)("an opamp-go server", () => {
  const setStage = stages();
  let stage: Stage;
  let hash: string;

  beforeAll(async () => {
    stage = await setStage();
    stage.host.start();
    hash = await stage.server.offer(nopPipeline("good"));
    await stage.server.until("the configuration", ({ healthy, status }) => healthy && status.is === "applied");
  });

  it("restarts the Collector with the restart command", async () => {
    const { host, server } = stage;
    const before = await host.collectors();
    const startedAt = server.agent.health?.startTimeUnixNano ?? 0n;
    await server.restart();
    await server.until("a younger Collector", ({ health, healthy }) => healthy && (health?.startTimeUnixNano ?? 0n) > startedAt);
    const after = await host.collectors();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(server.agent.courseOf(hash)).toEqual(["applying", "applied"]);
  });

  it("gets everything once more when it asks for the full state", async () => {
    const { server } = stage;
    const known = server.agent.messages.length;
    await server.reportFullState();
    await server.until("another message", ({ messages }) => messages.length > known);
    const full = server.agent.messages[known];
    expect(full?.agentDescription?.identifyingAttributes.length).toBeGreaterThan(0);
    expect(full?.health?.healthy).toBe(true);
    expect(full?.effectiveConfig?.configMap).toBeDefined();
    expect(Buffer.from(full?.remoteConfigStatus?.lastRemoteConfigHash ?? []).toString("hex")).toBe(hash);
  });

  it("finds the agent again after a connection that was cut", async () => {
    const { host, server } = stage;
    const before = await host.collectors();
    const connections = server.connections.length;
    await server.drop();
    const known = server.agent.messages.length;
    await server.until("a message on a new connection", ({ messages }) => server.connections.length > connections && messages.length > known);
    expect(server.agent.uids).toHaveLength(1);
    expect(await host.collectors()).toEqual(before);
  });

  it("gives the agent another instance uid, which it keeps", async () => {
    const { host, server } = stage;
    await server.assignUid(OTHER_UID);
    await server.until("the Collector to have the new uid", ({ attributes, healthy, uid }) => {
      return healthy && uid === OTHER_UID && attributes.get("service.instance.id") === OTHER_UID;
    });
    expect(await host.read("storage/persistent_state.yaml")).toContain(OTHER_UID);
    expect(server.agent.status).toMatchObject({ is: "applied", hash });
  });
});
