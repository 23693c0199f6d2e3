/**
 * Supervisors that have nothing to do. As many at once as there are runs: they wait side by side, since a minute each in
 * turn would take the better part of an hour, and a process that idles is not in another one's way.
 */
import { spawn } from "node:child_process";
import { systemClock } from "../src/lib/clock.js";
import { otlpYaml } from "./configs.js";
import { freePort } from "./free-port.js";
import { Host } from "./host.js";
import { kill } from "./processes.js";
import type { Bench } from "./row.js";

/** What a start leaves behind is collected by then. */
export const IDLE_AFTER_MS = 60_000;

export interface Idler {
  readonly name: string;
  readonly pid: number;
}

/** Starts them with a storage in use, and ends them after `use`, which is called once all have idled for a minute. */
export async function withIdlers<T>(bench: Bench, use: (idlers: readonly Idler[]) => Promise<T>): Promise<T> {
  const hosts: Host[] = [];
  const bareNodes: number[] = [];
  try {
    const idlers: Idler[] = [];
    for (let run = 0; run < bench.runs; run++) {
      for (const supervisor of bench.supervisors) {
        hosts.push(await Host.createUsed(bench, supervisor, otlpYaml(await freePort(), "nop")));
      }
    }
    for (const host of hosts) idlers.push({ name: host.supervisorName, pid: (await host.startHealthy()).pid });
    for (let run = 0; run < bench.runs; run++) bareNodes.push(startBareNode(bench));
    idlers.push(...bareNodes.map((pid) => ({ name: "bare", pid })));
    await systemClock.sleep(IDLE_AFTER_MS);
    return await use(idlers);
  } finally {
    for (const pid of bareNodes) kill(pid, "SIGKILL");
    for (const host of hosts) await host.close();
  }
}

/** What `read` says of each process of one name. */
export function samplesOf(idlers: readonly Idler[], name: string, read: (pid: number) => number): number[] {
  return idlers.filter((idler) => idler.name === name).map(({ pid }) => read(pid));
}

function startBareNode(bench: Bench): number {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" });
  bench.leftovers.watch(child);
  if (child.pid === undefined) throw new Error("node could not be started");
  return child.pid;
}
