/**
 * What changed from one state to the next, as log lines: one for each decision and each change of a part, with its reason.
 * So whoever reads the log at info, or `history.jsonl`, reads the course of events without a gap. `because`, `hash` and
 * `attempt` mean the same in every line; reasons are in the very words that the server is told.
 */
import type { State } from "./core/state.js";
import { whyHeld } from "./core/report.js";
import { alive, shortHash } from "./core/run.js";
import type { Build } from "./core/values.js";
import type { Fields } from "./lib/log.js";
import { rolloutNews } from "./news-rollout.js";

export interface NewsLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Fields;
  /** What is known by it of a configuration that ran. */
  readonly result?: { readonly digest: string; readonly is: "healthy" | "good" | "failed"; readonly because: string };
}

export function news(before: State, after: State): NewsLine[] {
  const process = processNews(before, after);
  // What the Collector did leads to what is decided, and that to what is done with it.
  const decisions = [
    ...process.filter(({ message }) => !ACTS.includes(message)),
    ...rolloutNews(before, after),
    ...process.filter(({ message }) => ACTS.includes(message)),
  ];
  return [
    ...decisions.map((line) => whole(line, after)),
    ...storageNews(before, after),
    ...executableNews(before, after),
    ...identityNews(before, after),
  ];
}

/** Each decision has a hash and an attempt: where it is about none, those of what is wanted and of the last start. */
function whole(line: NewsLine, { attempt, base, wanted }: State): NewsLine {
  const hash = (wanted.is === "run" ? wanted.run.build.prepared.remoteHash : base.remote?.hash) ?? "";
  const { fields } = line;
  return { ...line, fields: { ...fields, ...("hash" in fields ? {} : { hash }), ...("attempt" in fields ? {} : { attempt }) } };
}

const ACTS: readonly string[] = ["Collector starts", "Collector is reloaded", "Collector stops"];

function processNews(before: State, after: State): NewsLine[] {
  const { process } = after;
  const was = alive(before.process);
  if (before.process.is === process.is && was?.attempt === alive(process)?.attempt) {
    const late = process.is === "starting" && process.late && before.process.is === "starting" && !before.process.late;
    return late ? [{ level: "warn", message: "Collector does not report", fields: { attempt: process.attempt } }] : [];
  }
  switch (process.is) {
    case "starting": {
      const fields = { attempt: process.attempt, because: startBecause(after), ...nameOf(process.run.build) };
      if (was?.attempt === process.attempt) return [info("Collector is reloaded", fields)];
      // An end and the restart right behind it are one turn.
      const ended = was !== null && was.is !== "stopping" && process.after !== "";
      return [...(ended ? [endedUnasked(before, process.after, after)] : []), info("Collector starts", fields)];
    }
    case "healthy": {
      const { build } = process.run;
      const result = { digest: build.prepared.digest, is: "healthy", because: "" } as const;
      return [{ ...info("Collector is healthy", { attempt: process.attempt, because: "its extension says so", ...nameOf(build) }), result }];
    }
    case "unhealthy":
      return [{ level: "warn", message: "Collector is unhealthy", fields: { attempt: process.attempt, because: process.error } }];
    case "stopping":
      return [info("Collector stops", { attempt: process.attempt, because: after.closing ?? after.wanted.because, ...nameOf(process.run.build) })];
    case "down": {
      if (process.error === "") return [info("Collector is stopped", { because: "it was asked to end", ...(was === null ? {} : { attempt: was.attempt }) })];
      const held: NewsLine = { level: "error", message: "Collector is held", fields: { because: whyHeld(after) } };
      return [endedUnasked(before, process.error, after), ...(process.held ? [held] : [])];
    }
  }
}

function endedUnasked(before: State, error: string, { restarts }: State): NewsLine {
  const was = alive(before.process);
  const about = was === null ? {} : { attempt: was.attempt, ...nameOf(was.run.build) };
  return { level: "error", message: "Collector ended unasked", fields: { because: error, crashes: restarts.crashes, ...about } };
}

function storageNews(before: State, after: State): NewsLine[] {
  if (before.storage.is === after.storage.is) return [];
  return after.storage.is === "failing"
    ? [{ level: "error", message: "Storage cannot be written", fields: { because: after.storage.error } }]
    : [info("Storage can be written again", {})];
}

function executableNews(before: State, after: State): NewsLine[] {
  const { executable } = after;
  if (executable === before.executable) return [];
  if (executable.is === "known") {
    return [info("Collector executable described", { name: executable.facts.name, version: executable.facts.version })];
  }
  return executable.is === "failing"
    ? [{ level: "error", message: "Collector executable cannot be described", fields: { because: executable.error } }]
    : [];
}

function identityNews(before: State, after: State): NewsLine[] {
  if (before.instanceUid === after.instanceUid) return [];
  return [info("Instance uid assigned by the server", { old_id: before.instanceUid, new_id: after.instanceUid })];
}

/** A crash is its own reason; a trial that failed over one is told by what is wanted now. */
function startBecause(state: State): string {
  return state.restarts.crashes > 0 ? "the Collector ended unasked" : state.wanted.because;
}

/** The remote configuration that takes part, and the composed text, short enough to compare by eye. */
export function nameOf({ prepared: { digest, remoteHash } }: Build): Fields {
  return { hash: remoteHash ?? "", config: shortHash(digest) };
}

export function info(message: string, fields: Fields): NewsLine {
  return { level: "info", message, fields };
}
