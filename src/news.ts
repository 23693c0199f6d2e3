/**
 * What changed from one state to the next, as log lines: one at info for each change of a part, with its reason. So
 * whoever reads the log at info reads the course of events without a gap.
 */
import type { State } from "./core/state.js";
import { shortHash } from "./core/run.js";
import type { Fields } from "./lib/log.js";

export interface NewsLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Fields;
}

export function news(before: State, after: State): NewsLine[] {
  return [
    ...processNews(before, after),
    ...offerNews(before, after),
    ...baseNews(before, after),
    ...storageNews(before, after),
    ...executableNews(before, after),
    ...identityNews(before, after),
  ];
}

function processNews(before: State, after: State): NewsLine[] {
  const process = after.process;
  if (before.process.is === process.is && attemptOf(before) === attemptOf(after)) {
    const late = process.is === "starting" && process.late && before.process.is === "starting" && !before.process.late;
    return late ? [{ level: "warn", message: "Collector does not report", fields: { attempt: process.attempt } }] : [];
  }
  switch (process.is) {
    case "starting": {
      // An end and the restart right behind it are one turn.
      const ended = before.process.is !== "down" && before.process.is !== "stopping" && process.after !== "";
      const starts = info("Collector starts", { attempt: process.attempt, because: startBecause(after), config: shortHash(process.run.build.prepared.digest) });
      return ended ? [endedUnasked(process.after, after), starts] : [starts];
    }
    case "healthy":
      return [info("Collector is healthy", { attempt: process.attempt })];
    case "unhealthy":
      return [{ level: "warn", message: "Collector is unhealthy", fields: { attempt: process.attempt, error: process.error } }];
    case "stopping":
      return [info("Collector stops", { attempt: process.attempt, because: after.closing ?? wantedBecause(after) })];
    case "down":
      return process.error === ""
        ? [info("Collector is stopped", {})]
        : [endedUnasked(process.error, after)];
  }
}

function endedUnasked(error: string, { restarts }: State): NewsLine {
  return { level: "error", message: "Collector ended unasked", fields: { error, crashes: restarts.crashes } };
}

function offerNews(before: State, after: State): NewsLine[] {
  const status = after.offers.status;
  if (status === null || before.offers.status === status) return [];
  const fields = { hash: status.hash };
  switch (status.is) {
    case "applying":
      return [info("Remote configuration received", fields)];
    case "applied":
      return [info("Remote configuration applied", fields)];
    case "failed":
      return [{ level: "error", message: "Remote configuration failed", fields: { ...fields, reason: status.error } }];
  }
}

function baseNews(before: State, after: State): NewsLine[] {
  const { base } = after;
  if (base.refusal === "" || base.refusal === before.base.refusal) return [];
  const fields = { reason: base.refusal, next: base.from };
  return [{ level: "error", message: "Configuration cannot run, stepping down", fields }];
}

function storageNews(before: State, after: State): NewsLine[] {
  if (before.storage.is === after.storage.is) return [];
  return after.storage.is === "failing"
    ? [{ level: "error", message: "Storage cannot be written", fields: { error: after.storage.error } }]
    : [info("Storage can be written again", {})];
}

function executableNews(before: State, after: State): NewsLine[] {
  const { executable } = after;
  if (executable === before.executable) return [];
  if (executable.is === "known") {
    return [info("Collector executable described", { name: executable.facts.name, version: executable.facts.version })];
  }
  return executable.is === "failing"
    ? [{ level: "error", message: "Collector executable cannot be described", fields: { error: executable.error } }]
    : [];
}

function identityNews(before: State, after: State): NewsLine[] {
  if (before.instanceUid === after.instanceUid) return [];
  return [info("Instance uid assigned by the server", { old_id: before.instanceUid, new_id: after.instanceUid })];
}

function info(message: string, fields: Fields): NewsLine {
  return { level: "info", message, fields };
}

function attemptOf(state: State): number {
  return state.process.is === "down" ? 0 : state.process.attempt;
}

/** A crash is its own reason; a trial that failed over one is told by what is wanted now. */
function startBecause(state: State): string {
  return state.restarts.crashes > 0 ? "the Collector ended unasked" : state.wanted.because;
}

function wantedBecause(state: State): string {
  return state.wanted.because;
}
