/** A configuration that cannot run is refused with the real Collector's own words, and what ran before runs on. */
import { createServer } from "node:net";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { nopPipeline } from "./support/configs.js";
import type { Program } from "./support/host.js";
import { missing } from "./support/needs.js";
import { stages, type Stage } from "./support/stage.js";

/** Stop, a start that fails, and the start of the good one: measured at a fifth of a second. */
const OUTAGE_S_MAX = 2;

const refusedBeforehand = [
  {
    what: "names an unknown component",
    body: nopPipeline("one").replace("receivers:\n", "receivers:\n  no_such_receiver:\n"),
    words: /'receivers' unknown type: "no_such_receiver"/,
  },
  {
    what: "refers to an exporter that it does not have",
    body: nopPipeline("two").replace("exporters: [nop/two]", "exporters: [debug/absent]"),
    words: /references exporter "debug\/absent" which is not configured/,
  },
  {
    what: "has a key that the component does not know",
    body: nopPipeline("three").replace("exporters:\n  nop/three:\n", "exporters:\n  nop/three:\n  debug/three:\n    loudness: 11\n"),
    words: /invalid keys: loudness/,
  },
  { what: "is not YAML", body: "receivers: [unclosed\n", words: /yaml|flow/i },
  { what: "is a list where sections belong", body: "- receivers\n", words: /map/i },
];

describe.skipIf(missing)("a configuration that the Collector refuses", () => {
  const setStage = stages();
  let stage: Stage;
  let supervisor: Program;
  let pid: number | undefined;

  beforeAll(async () => {
    stage = await setStage();
    const { host, server } = stage;
    supervisor = host.start();
    const good = await server.offer(nopPipeline("good"));
    await server.until("the good configuration", ({ healthy, status }) => healthy && status.is === "applied" && status.hash === good);
    [pid] = await host.collectors();
  });

  it.each(refusedBeforehand)("is told its reason when it $what, and the process stays", async ({ body, words }) => {
    const { host, server } = stage;
    const hash = await server.offer(body);
    await server.until("the refusal", ({ status }) => status.is === "failed" && status.hash === hash);
    expect(server.agent.courseOf(hash)).toEqual(["applying", "failed"]);
    expect(server.agent.status.error).toMatch(words);
    expect(await host.collectors()).toEqual([pid]);
    expect(server.agent.healthy).toBe(true);
    expect(server.agent.effectiveConfig).toContain("nop/good");
    expect(await host.read("storage/effective.yaml")).toContain("nop/good");
  });

  it("is told the Collector's last words when only the start shows the fault, and the good one runs again", async () => {
    const { host, server } = stage;
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const address = holder.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    try {
      const hash = await server.offer(otlpReceiver(port));
      await server.until("the failure", ({ status }) => status.is === "failed" && status.hash === hash);
      expect(server.agent.courseOf(hash)).toEqual(["applying", "failed"]);
      expect(server.agent.status.error).toContain(`127.0.0.1:${port}: bind: address already in use`);
      await server.until("the good one again", ({ effectiveConfig, healthy }) => healthy && effectiveConfig.includes("nop/good"));
      expect(await host.read("storage/effective.yaml")).toContain("nop/good");
      expect(await host.collectors()).toHaveLength(1);
      await vi.waitFor(() => expect(lastOutage(supervisor)).toBeGreaterThan(0));
      expect(lastOutage(supervisor)).toBeLessThan(OUTAGE_S_MAX);
    } finally {
      holder.close();
    }
  });
});

/** Seconds from the last stop on purpose to health. */
function lastOutage({ output }: Program): number {
  const log = output.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as { ts: number; msg: string });
  const lastTs = (message: string): number => log.findLast(({ msg }) => msg === message)?.ts ?? Number.NaN;
  return lastTs("Collector is healthy") - lastTs("Collector stops");
}

function otlpReceiver(port: number): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
  nop:
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [nop]
`;
}
