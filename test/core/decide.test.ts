/** What is wanted against what is: a row a case, the effects are the expectation. */
import { expect, test } from "vitest";
import { decide } from "../../src/core/decide.js";
import type { Wanted } from "../../src/core/state.js";
import { buildOf, offerOf, testPolicy } from "../support/story.js";
import { NOW, processes, runOf, stateOf, type ProcessName } from "./state-of.js";

const TURN = { now: NOW, random: 0, at: "" };
const base = { from: "last-received", remote: offerOf("A"), build: buildOf(offerOf("A")), preparing: 0, refusal: "", retryAt: NOW, isStale: false } as const;
const run = (name: string, turn = 1): Wanted => ({ is: "run", run: runOf(name, turn), because: "it is wanted" });
const nothing: Wanted = { is: "nothing", because: "nothing to run", fine: true };

function effectsOf(process: ProcessName, wanted: Wanted, options: { reloads?: boolean; closing?: boolean } = {}): string[] {
  const policy = { ...testPolicy, reloadsByHup: options.reloads ?? false };
  const state = stateOf({ policy, base, wanted, process: processes[process], attempt: 7, closing: options.closing === true ? "SIGTERM" : null });
  const first = decide(state, TURN);
  // What was decided is written into the state: deciding once more does nothing new.
  expect(decide(first.state, TURN).effects).toEqual([]);
  return first.effects.map((effect) => effect.do);
}

test.each<[ProcessName, string, Wanted, string[]]>([
  ["down", "A", run("A"), ["start-collector"]],
  ["paused", "A", run("A"), []],
  ["held", "A", run("A"), []],
  ["starting", "A", run("A"), []],
  ["healthy", "A", run("A"), []],
  ["unhealthy", "A", run("A"), []],
  ["stopping", "A", run("A"), []],
  ["starting", "B", run("B"), ["stop-collector"]],
  ["healthy", "B", run("B"), ["stop-collector"]],
  ["unhealthy", "B", run("B"), ["stop-collector"]],
  ["stopping", "B", run("B"), []],
  ["healthy", "A again", run("A", 2), ["stop-collector"]],
  ["down", "nothing", nothing, []],
  ["starting", "nothing", nothing, ["stop-collector"]],
  ["healthy", "nothing", nothing, ["stop-collector"]],
  ["stopping", "nothing", nothing, []],
])("%s, and %s is wanted", (process, _, wanted, effects) => {
  expect(effectsOf(process, wanted)).toEqual(effects);
});

test.each<[ProcessName, string, Wanted, string[]]>([
  ["healthy", "B", run("B"), ["reload-collector"]],
  ["starting", "B, before it listens to signals", run("B"), ["stop-collector"]],
  ["unhealthy", "B", run("B"), ["stop-collector"]],
  ["healthy", "A again", run("A", 2), ["stop-collector"]],
])("with reload by SIGHUP: %s, and %s is wanted", (process, _, wanted, effects) => {
  expect(effectsOf(process, wanted, { reloads: true })).toEqual(effects);
});

test.each<[ProcessName, string[]]>([
  ["down", ["finish"]],
  ["paused", ["finish"]],
  ["starting", ["stop-collector"]],
  ["healthy", ["stop-collector"]],
  ["unhealthy", ["stop-collector"]],
  ["stopping", []],
])("closing while it is %s", (process, effects) => {
  expect(effectsOf(process, run("A"), { closing: true })).toEqual(effects);
});

test.each([
  ["unknown", { is: "unknown" }, ["describe-executable"]],
  ["being described", { is: "describing" }, []],
  ["failing, not due yet", { is: "failing", error: "x", retryAt: NOW + 1 }, []],
  ["failing, due", { is: "failing", error: "x", retryAt: NOW }, ["describe-executable"]],
] as const)("an executable that is %s", (_, executable, effects) => {
  const state = stateOf({ executable, base, wanted: run("A"), process: processes.healthy });
  expect(decide(state, TURN).effects.map((effect) => effect.do)).toEqual(effects);
});

const waiting = { offer: offerOf("B"), durable: true, actAt: NOW, firstAt: NOW };
test.each([
  ["durable and due", waiting, ["prepare-config"]],
  ["not on disk yet", { ...waiting, durable: false }, []],
  ["not due yet", { ...waiting, actAt: NOW + 1 }, []],
])("an offer that is %s", (_, offer, effects) => {
  const state = stateOf({ base, wanted: run("A"), process: processes.healthy, waiting: offer });
  expect(decide(state, TURN).effects.map((effect) => effect.do)).toEqual(effects);
});
