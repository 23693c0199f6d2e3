/** News that comes too late, or about something else, changes nothing. */
import { expect, test } from "vitest";
import type { Event } from "../../src/core/event.js";
import { observe } from "../../src/core/observe.js";
import type { ComponentHealth } from "../../src/core/values.js";
import { buildOf, offerOf } from "../support/story.js";
import { NOW, processes, runOf, stateOf } from "./state-of.js";

const TURN = { now: NOW, random: 0, at: "" };
const wanted = { is: "run", run: runOf("A"), because: "it is wanted" } as const;
const running = stateOf({ process: { ...processes.healthy, linkMin: 3 }, wanted, attempt: 7, ticket: 4 });
const health = { healthy: true, status: "StatusOK" } as ComponentHealth;

test.each<[string, Event]>([
  ["a start of another attempt", { is: "collector-started", attempt: 6, pid: 1, startTimeUnixNano: 1n }],
  ["a failed start of another attempt", { is: "collector-not-started", attempt: 6, error: "x" }],
  ["an exit of another attempt", { is: "collector-exited", attempt: 6, exit: { code: 1, signal: null, memoryKill: "none", tail: "" } }],
  ["health of another attempt", { is: "collector-health", attempt: 6, link: 9, verdict: "unhealthy", error: "x", health }],
  ["health of a link before the reload", { is: "collector-health", attempt: 7, link: 2, verdict: "unhealthy", error: "x", health }],
  ["a configuration of a link before the reload", { is: "collector-config-reported", attempt: 7, link: 2, files: [] }],
  ["a failed reload of another attempt", { is: "collector-not-reloaded", attempt: 6, error: "x" }],
  ["a preparation that nobody waits for", { is: "config-prepared", ticket: 3, build: buildOf(offerOf("B")) }],
  ["a refusal that nobody waits for", { is: "config-refused", ticket: 3, reason: "x", isBlameless: false }],
  ["a deadline without anything due", { is: "deadline-reached" }],
])("%s", (_, event) => {
  expect(observe(running, event, TURN)).toEqual(running);
});

test("without the capability an offer and a restart command change nothing", () => {
  const state = stateOf({ ...running, policy: { ...running.policy, acceptsRemoteConfig: false, acceptsRestartCommand: false } });
  expect(observe(state, { is: "remote-config-offered", config: offerOf("B") }, TURN)).toEqual(state);
  expect(observe(state, { is: "restart-commanded" }, TURN)).toEqual(state);
});

test("the first reason to shut down is kept", () => {
  const closing = observe(running, { is: "shutdown-requested", because: "received SIGTERM" }, TURN);
  expect(observe(closing, { is: "shutdown-requested", because: "received SIGINT" }, TURN).closing).toBe("received SIGTERM");
});
