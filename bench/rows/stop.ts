/** From SIGTERM until everything is gone, the Collector included, against the Collector's own stop. */
import { systemClock } from "../../src/lib/clock.js";
import { alternate, type Sample } from "../alternate.js";
import { BareCollector } from "../bare-collector.js";
import { quietOtlpYaml } from "../configs.js";
import { freePort } from "../free-port.js";
import { Host } from "../host.js";
import { isAlive, kill } from "../processes.js";
import type { Bench, Row } from "../row.js";
import { atMostAbove } from "../samples.js";

const MORE_MS = 100;
const BARE = "the Collector's own stop";
const SETTLE_MS = 1_000;
const GONE_MS_MAX = 15_000;

export const stopRow: Row = {
  name: "stop",
  async measure(bench) {
    const port = await freePort();
    const bare = new BareCollector(bench, port);
    const config = bare.write("otlp.yaml", quietOtlpYaml(port, "nop"));
    const hosts: Host[] = [];
    for (const supervisor of bench.supervisors) {
      hosts.push(await Host.create(bench, supervisor, { localYaml: quietOtlpYaml(await freePort(), "nop") }));
    }
    const series = await alternate(bench, [
      { name: "bare", take: () => stopBare(bare, config) },
      ...hosts.map((host) => ({ name: host.supervisorName, take: () => stopOnce(bench, host) })),
    ]);
    await Promise.all([bare, ...hosts].map((one) => one.close()));
    const samples = series.of("bare", "gone");
    return [
      {
        what: "SIGTERM to everything gone, Collector included",
        unit: "ms",
        ours: series.of("ours", "gone"),
        go: series.of("go", "gone"),
        bare: { what: BARE, samples },
        limit: atMostAbove(samples, BARE, MORE_MS, "ms"),
      },
    ];
  },
};

async function stopBare(bare: BareCollector, config: string): Promise<Sample> {
  await bare.start(config);
  await systemClock.sleep(SETTLE_MS);
  return { gone: await bare.stop() };
}

async function stopOnce(bench: Bench, host: Host): Promise<Sample> {
  try {
    const { pid } = await host.startHealthy();
    await systemClock.sleep(SETTLE_MS);
    const collector = host.collectorPid();
    const stoppedAt = systemClock.now();
    kill(pid, "SIGTERM");
    let exitedAfter = Infinity;
    while (isAlive(pid) || isAlive(collector)) {
      const waited = systemClock.now() - stoppedAt;
      if (!isAlive(pid)) exitedAfter = Math.min(exitedAfter, waited);
      if (waited > GONE_MS_MAX) {
        bench.note(`${host.supervisorName}: the supervisor was gone after ${exitedAfter.toFixed(0)} ms, its Collector still ran after ${GONE_MS_MAX / 1_000} s`);
        return { gone: Infinity };
      }
      await systemClock.sleep(1);
    }
    return { gone: systemClock.now() - stoppedAt };
  } finally {
    await host.stop();
  }
}
