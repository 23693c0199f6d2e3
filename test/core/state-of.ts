/** States for the tables: the first state with some parts replaced. */
import { begin } from "../../src/core/begin.js";
import type { Process, State } from "../../src/core/state.js";
import type { Run } from "../../src/core/values.js";
import { buildOf, emptyMemory, offerOf, testFacts, testPolicy } from "../support/story.js";

export const NOW = 1_000_000;

export function stateOf(changes: Partial<State> = {}): State {
  const remembered = { executable: testFacts, description: null, components: null };
  return { ...begin(testPolicy, emptyMemory, remembered, { now: NOW, at: "" }), ...changes };
}

export function runOf(name: string, turn = 1): Run {
  return { turn, build: buildOf(offerOf(name)) };
}

const alive = { attempt: 7, run: runOf("A"), linkMin: 0, executable: testFacts.identity, startTimeUnixNano: 5n };

export const processes = {
  down: { is: "down", restartAt: NOW, error: "", held: false },
  paused: { is: "down", restartAt: NOW + 1_000, error: "the Collector exited with code 1", held: false },
  held: { is: "down", restartAt: NOW + 1_000, error: "the Collector exited with code 1", held: true },
  starting: { is: "starting", late: false, lateAt: NOW + 3_000, after: "", ...alive },
  restarting: { is: "starting", late: false, lateAt: NOW + 3_000, after: "the Collector exited with code 1", ...alive },
  silent: { is: "starting", late: true, lateAt: NOW - 1, after: "", ...alive },
  healthy: { is: "healthy", since: NOW - 10, ...alive },
  unhealthy: { is: "unhealthy", error: "receiver otlp: sick", ...alive },
  stopping: { is: "stopping", ...alive },
} as const satisfies Record<string, Process>;

export type ProcessName = keyof typeof processes;
