/** Memory of a supervisor that has been idle for a minute, against a Node process that does nothing. */
import { samplesOf, withIdlers } from "../idle.js";
import { memoryOf } from "../processes.js";
import type { Row } from "../row.js";
import { atMostAbove } from "../samples.js";

const RESIDENT_MORE_MB = 30;
const ANONYMOUS_MB = 30;
const BARE = "idle node";

export const memoryRow: Row = {
  name: "memory",
  measure(bench) {
    bench.note("all samples side by side, a minute after the start with a storage in use");
    return withIdlers(bench, (idlers) => {
      const resident = (name: string): number[] => samplesOf(idlers, name, (pid) => memoryOf(pid).residentMb);
      const anonymous = (name: string): number[] => samplesOf(idlers, name, (pid) => memoryOf(pid).anonymousMb);
      return Promise.resolve([
        {
          what: "resident memory, idle",
          unit: "MB",
          ours: resident("ours"),
          go: resident("go"),
          bare: { what: BARE, samples: resident("bare") },
          limit: atMostAbove(resident("bare"), BARE, RESIDENT_MORE_MB, "MB"),
        },
        {
          what: "anonymous memory, idle",
          unit: "MB",
          ours: anonymous("ours"),
          go: anonymous("go"),
          bare: { what: BARE, samples: anonymous("bare") },
          limit: { value: ANONYMOUS_MB, words: `${ANONYMOUS_MB} MB` },
        },
      ]);
    });
  },
};
