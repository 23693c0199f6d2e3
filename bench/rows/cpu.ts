/** The share of a core that an idle supervisor takes, over two minutes from a minute after its start. */
import { execFileSync } from "node:child_process";
import { systemClock } from "../../src/lib/clock.js";
import { samplesOf, withIdlers } from "../idle.js";
import { cpuTicks } from "../processes.js";
import type { Row } from "../row.js";

const WINDOW_MS = 120_000;
const LIMIT_PERCENT = 0.1;

export const cpuRow: Row = {
  name: "cpu",
  isSlow: true,
  measure(bench) {
    bench.note("all samples side by side; the kernel counts in ticks, one of which is about 0.01 % here");
    return withIdlers(bench, async (idlers) => {
      const tickMs = 1_000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
      const before = new Map(idlers.map(({ pid }) => [pid, cpuTicks(pid)]));
      const startedAt = systemClock.now();
      await systemClock.sleep(WINDOW_MS);
      const windowMs = systemClock.now() - startedAt;
      const percentOf = (pid: number): number => ((cpuTicks(pid) - (before.get(pid) ?? NaN)) * tickMs * 100) / windowMs;
      const percent = (name: string): number[] => samplesOf(idlers, name, percentOf);
      return [
        {
          what: "CPU over 120 s, idle",
          unit: "%",
          ours: percent("ours"),
          go: percent("go"),
          bare: { what: "idle node", samples: percent("bare") },
          limit: { value: LIMIT_PERCENT, words: `${LIMIT_PERCENT} % of a core` },
        },
      ];
    });
  },
};
