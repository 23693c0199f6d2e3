/**
 * From SIGKILL of the Collector to the news of a healthy one. Each sample is the first crash of its supervisor, since a
 * pause before a second restart is on purpose.
 */
import { systemClock } from "../../src/lib/clock.js";
import type { AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import { alternate, type Sample } from "../alternate.js";
import { BareCollector } from "../bare-collector.js";
import { quietOtlpYaml } from "../configs.js";
import { freePort } from "../free-port.js";
import { Host } from "../host.js";
import { kill } from "../processes.js";
import type { Row } from "../row.js";
import { atMostAbove } from "../samples.js";

const MORE_MS = 120;
const BARE = "bare start to open port";
/** All that a start still has to tell is told. */
const SETTLE_MS = 1_000;

export const killedRow: Row = {
  name: "killed",
  async measure(bench) {
    const port = await freePort();
    const bare = new BareCollector(bench, port);
    const config = bare.write("otlp.yaml", quietOtlpYaml(port, "nop"));
    const hosts: Host[] = [];
    for (const supervisor of bench.supervisors) {
      hosts.push(await Host.create(bench, supervisor, { localYaml: quietOtlpYaml(await freePort(), "nop") }));
    }
    const series = await alternate(bench, [
      { name: "bare", take: () => startBare(bare, config) },
      ...hosts.map((host) => ({ name: host.supervisorName, take: () => killOnce(host) })),
    ]);
    await Promise.all([bare, ...hosts].map((one) => one.close()));
    const samples = series.of("bare", "open");
    return [
      {
        what: "Collector killed to healthy again",
        unit: "ms",
        ours: series.of("ours", "healthy"),
        go: series.of("go", "healthy"),
        bare: { what: BARE, samples },
        limit: atMostAbove(samples, BARE, MORE_MS, "ms"),
      },
    ];
  },
};

async function startBare(bare: BareCollector, config: string): Promise<Sample> {
  const open = await bare.start(config);
  await bare.stop();
  return { open };
}

async function killOnce(host: Host): Promise<Sample> {
  try {
    const { healthy } = await host.startHealthy();
    await systemClock.sleep(SETTLE_MS);
    const mark = host.server.mark();
    const killedAt = systemClock.now();
    kill(host.collectorPid(), "SIGKILL");
    const again = await host.next(mark, healthyAgain(startOf(healthy.message)), "a Collector that is healthy again");
    return { healthy: again.atMs - killedAt };
  } finally {
    await host.stop();
  }
}

/** Healthy, and not the old news: something worse was told in between, or the Collector says that it started later. */
function healthyAgain(startedBefore: bigint): (message: AgentToServer) => boolean {
  let wasDown = false;
  return (message) => {
    if (message.health === undefined) return false;
    if (!message.health.healthy) wasDown = true;
    return message.health.healthy && (wasDown || startOf(message) > startedBefore);
  };
}

function startOf({ health }: AgentToServer): bigint {
  return health?.startTimeUnixNano ?? 0n;
}
