/** Thirty configurations in a second: how often the Collector is started for them, and when the last one is decided. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.js";
import { alternate, type Sample } from "../alternate.js";
import { otlpYaml } from "../configs.js";
import { freePort } from "../free-port.js";
import { Host } from "../host.js";
import type { Bench, Finding, Row, SupervisorProgram } from "../row.js";
import type { Offered } from "../watched-server.js";

const OFFERS = 30;
const OFFERS_MS = 1_000;
const STARTS_MAX = 2;
const FINAL_STATUS_MS = 500;
/** The Go supervisor may go through all of them, one after the other. */
const DECIDED_MS_MAX = 180_000;
/** Longer than any pause that belongs to a burst, and late starts still count. */
const SETTLE_MS = 3_000;

interface BurstHost {
  readonly host: Host;
  readonly port: number;
  bursts: number;
}

export const burstRow: Row = {
  name: "burst",
  async measure(bench) {
    const hosts = await Promise.all(bench.supervisors.map(async (one) => ({ name: one.name, burst: await burstHost(bench, one) })));
    const series = await alternate(bench, hosts.map(({ name, burst }) => ({ name, take: () => burstOnce(burst) })));
    await Promise.all(hosts.map(({ burst }) => burst.host.close()));
    const finding = (what: string, unit: "starts" | "ms", figure: string, limit: Finding["limit"]): Finding => ({
      what: `${OFFERS} configurations in a second: ${what}`,
      unit,
      ours: series.of("ours", figure),
      go: series.of("go", figure),
      bare: null,
      limit,
    });
    return [
      finding("Collector starts", "starts", "starts", { value: STARTS_MAX + 1, words: `at most ${STARTS_MAX}` }),
      finding("final status after the last", "ms", "final", { value: FINAL_STATUS_MS, words: `${FINAL_STATUS_MS} ms` }),
    ];
  },
};

async function burstHost(bench: Bench, supervisor: SupervisorProgram): Promise<BurstHost> {
  const port = await freePort();
  const host = await Host.create(bench, supervisor, { executable: (directory) => countingCollector(bench, directory) });
  await host.startHealthy();
  await host.apply(otlpYaml(port, "nop/before"));
  return { host, port, bursts: 0 };
}

/** The Collector behind a script that writes a line for each time that it is really run. */
function countingCollector(bench: Bench, directory: string): string {
  const path = join(directory, "otelcol");
  writeFileSync(startsFile(directory), "");
  const script = `#!/bin/sh
case "$1" in
  validate|components|featuregate|--version) ;;
  *) echo "$@" >> ${startsFile(directory)} ;;
esac
exec ${bench.collector} "$@"
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

function startsFile(directory: string): string {
  return join(directory, "starts");
}

function starts(directory: string): number {
  return readFileSync(startsFile(directory), "utf8").split("\n").length - 1;
}

async function burstOnce(burst: BurstHost): Promise<Sample> {
  const { host, port } = burst;
  await systemClock.sleep(SETTLE_MS);
  burst.bursts++;
  const before = starts(host.directory);
  const mark = host.server.mark();
  const startedAt = systemClock.now();
  let last: Offered | null = null;
  for (let offer = 0; offer < OFFERS; offer++) {
    await systemClock.sleep(Math.max(0, startedAt + (offer * OFFERS_MS) / OFFERS - systemClock.now()));
    last = await host.server.send(otlpYaml(port, `nop/b${burst.bursts}o${offer}`));
  }
  if (last === null) throw new Error("nothing was sent");
  const applied = await host.applied(mark, last, DECIDED_MS_MAX);
  await systemClock.sleep(SETTLE_MS);
  return { starts: starts(host.directory) - before, final: applied.atMs - last.sentAtMs };
}
