/** From the start of the program to its first message, and to a healthy Collector, as the server sees them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { systemClock } from "../../src/lib/clock.js";
import { alternate, type Contender, type Sample, type Series } from "../alternate.js";
import { otlpYaml } from "../configs.js";
import { freePort } from "../free-port.js";
import { Host, WAIT_MS_MAX } from "../host.js";
import type { Bench, Finding, Row } from "../row.js";
import { atMostAbove } from "../samples.js";

const FIRST_MESSAGE_MS = 140;
const HEALTHY_MS = 220;
const NODE = "node -e 0";

export const startRow: Row = {
  name: "start",
  async measure(bench) {
    const hosts: Host[] = [];
    for (const supervisor of bench.supervisors) {
      hosts.push(await Host.createUsed(bench, supervisor, otlpYaml(await freePort(), "nop")));
    }
    const used = hosts.map((host) => ({ name: host.supervisorName, take: () => startOnce(host) }));
    const series = await alternate(bench, [bareNode(bench), ...used, ...freshHosts(bench)]);
    for (const host of hosts) await host.close();
    return [
      finding(series, "", "firstMessage", "start to first message, storage in use with a remote configuration", FIRST_MESSAGE_MS),
      finding(series, "", "healthy", "start to healthy, storage in use with a remote configuration", HEALTHY_MS),
      finding(series, "-fresh", "firstMessage", "start to first message, fresh storage", FIRST_MESSAGE_MS),
      finding(series, "-fresh", "healthy", "start to healthy, fresh storage", HEALTHY_MS),
    ];
  },
};

function finding(series: Series, suffix: string, figure: string, what: string, more: number): Finding {
  const bare = series.of("bare", "exit");
  return {
    what,
    unit: "ms",
    ours: series.of(`ours${suffix}`, figure),
    go: series.of(`go${suffix}`, figure),
    bare: { what: NODE, samples: bare },
    limit: atMostAbove(bare, NODE, more, "ms"),
  };
}

function bareNode(bench: Bench): Contender {
  return {
    name: "bare",
    async take() {
      const startedAt = systemClock.now();
      const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
      bench.leftovers.watch(child);
      await once(child, "exit");
      return { exit: systemClock.now() - startedAt };
    },
  };
}

function freshHosts(bench: Bench): Contender[] {
  return bench.supervisors.map((supervisor) => ({
    name: `${supervisor.name}-fresh`,
    async take() {
      const host = await Host.create(bench, supervisor);
      try {
        return await startOnce(host);
      } finally {
        await host.close();
      }
    },
  }));
}

async function startOnce(host: Host): Promise<Sample> {
  try {
    const { atMs, mark } = host.start();
    const first = await host.next(mark, () => true, "the first message", WAIT_MS_MAX);
    const healthy = await host.healthyAfter(mark);
    return { firstMessage: first.atMs - atMs, healthy: healthy.atMs - atMs };
  } finally {
    await host.stop();
  }
}
