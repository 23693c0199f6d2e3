/** What the server should believe, a row for each state of the process. */
import { expect, test } from "vitest";
import { report } from "../../src/core/report.js";
import type { State } from "../../src/core/state.js";
import { processes, runOf, stateOf, type ProcessName } from "./state-of.js";

const wanted: State["wanted"] = { is: "run", run: runOf("A"), because: "it is wanted" };

test.each<[ProcessName, boolean, string, string, bigint]>([
  ["down", false, "down", "the Collector is starting", 0n],
  ["paused", false, "down", "the Collector exited with code 1", 0n],
  ["held", false, "down", "held after 10 crashes in a row, tried again slowly: the Collector exited with code 1", 0n],
  ["starting", false, "starting", "the Collector is starting", 5n],
  ["restarting", false, "starting", "the Collector is being restarted: the Collector exited with code 1", 5n],
  ["healthy", true, "", "", 5n],
  ["unhealthy", false, "", "receiver otlp: sick", 5n],
  ["stopping", false, "stopping", "the Collector is being stopped", 5n],
])("health while it is %s", (process, healthy, status, lastError, startTimeUnixNano) => {
  const told = report(stateOf({ process: processes[process], wanted, restarts: { crashes: 10, crashed: [] } }));
  expect(told?.health).toMatchObject({ healthy, status, lastError, startTimeUnixNano });
});

test("a silent extension is named", () => {
  const told = report(stateOf({ process: processes.silent, wanted }));
  expect(told?.health.lastError).toMatch(/^the Collector runs, but its opamp extension has not reported within agent\.bootstrap_timeout/);
});

test.each([
  ["nothing to run is fine", { is: "nothing", because: "the configuration has nothing to run", fine: true }, true, "not running: the configuration has nothing to run", ""],
  ["nothing that can run is not", { is: "nothing", because: "no configuration can run: x", fine: false }, false, "down", "no configuration can run: x"],
] as const)("%s", (_, nothing, healthy, status, lastError) => {
  expect(report(stateOf({ wanted: nothing }))?.health).toMatchObject({ healthy, status, lastError, startTimeUnixNano: 0n });
});

test.each([
  ["unknown", { is: "unknown" }],
  ["being described", { is: "describing" }],
] as const)("nothing is told while the executable is %s: the first message is complete", (_, executable) => {
  expect(report(stateOf({ executable }))).toBeNull();
});

const failed = { is: "failed", hash: "b", error: "x" } as const;
const applying = { is: "applying", hash: "b", error: "" } as const;
test.each([
  ["saving works: the status", { is: "working" }, {}, failed],
  ["saving fails: the last one on disk", { is: "failing", error: "full", retryAt: 0 }, {}, applying],
  ["saving fails, and that is the reason", { is: "failing", error: "full", retryAt: 0 }, { unsavedStatus: failed }, failed],
] as const)("%s is told", (_, storage, offers, status) => {
  const state = stateOf();
  const changed = { ...state, storage, offers: { ...state.offers, status: failed, savedStatus: applying, ...offers } };
  expect(report(changed)?.remoteConfig.status).toBe(status);
});

test("the connection is told with how often it was lost, and why", () => {
  const state = stateOf();
  const lost = { ...state, server: { isConnected: true, wasReached: true, losses: 2, error: "the server closed it (1006)" } };
  expect(report(lost)?.health).toMatchObject({ losses: 2, lossError: "the server closed it (1006)" });
});
