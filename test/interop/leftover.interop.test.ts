/** The supervisor is killed: its Collector does not live on beside the one of the next supervisor. */
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { nopPipeline } from "./support/configs.js";
import { missing, needs } from "./support/needs.js";
import { stages } from "./support/stage.js";

const setprivIsHere = await onPath("setpriv");

describe.skipIf(missing)("a supervisor that was killed", () => {
  const setStage = stages();

  it("finds and ends its own leftover at the next start, and knows what it ran", async () => {
    const { host, server } = await setStage({ executable: { script: survivor(needs.collector) } });
    const first = host.start();
    const hash = await server.offer(nopPipeline("good"));
    await server.until("the configuration", ({ healthy, status }) => healthy && status.is === "applied");
    const [leftover] = await host.collectors();
    const uid = server.agent.uid;
    expect(await first.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    expect(await host.collectors()).toEqual([leftover]);

    const known = server.agent.messages.length;
    const second = host.start();
    await server.until("the next supervisor to be up", (agent) => agent.messages.slice(known).some(({ health }) => health?.healthy === true));
    const after = await host.collectors();
    expect(after).toHaveLength(1);
    expect(after).not.toContain(leftover);
    expect(server.agent.uids).toEqual([uid]);
    expect(server.agent.status).toMatchObject({ is: "applied", hash });
    expect(server.agent.effectiveConfig).toContain("nop/good");
    expect(await second.end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(await host.collectors()).toEqual([]);
  });

  it.skipIf(!setprivIsHere)("takes its Collector along where setpriv is installed", async () => {
    const { host, server } = await setStage();
    const program = host.start();
    await server.until("the agent to be up", ({ healthy }) => healthy);
    expect(await host.collectors()).toHaveLength(1);
    await program.end("SIGKILL");
    await expect.poll(() => host.collectors(), { timeout: 10_000 }).toEqual([]);
  });
});

/** A Collector that outlives its supervisor also where setpriv would have the kernel end it. */
function survivor(collector: string): string {
  return `#!/bin/sh
if setpriv --pdeathsig clear -- true 2>/dev/null; then exec setpriv --pdeathsig clear -- '${collector}' "$@"; fi
exec '${collector}' "$@"
`;
}

async function onPath(name: string): Promise<boolean> {
  const found = (process.env["PATH"] ?? "").split(delimiter).map((directory) => access(join(directory, name)).then(() => true, () => false));
  return (await Promise.all(found)).includes(true);
}
