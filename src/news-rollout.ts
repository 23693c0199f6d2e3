/** The part of the news that tells of configurations: offers, what became of them, and the way down and up. */
import type { Memory } from "./core/memory.js";
import { toldError, whyStandIn } from "./core/report.js";
import { nameOfBase, sameBuild, shortHash } from "./core/run.js";
import type { State } from "./core/state.js";
import type { Build, RemoteStatus } from "./core/values.js";
import { info, nameOf, type NewsLine } from "./news.js";

export function rolloutNews(before: State, after: State): NewsLine[] {
  return [...offerNews(before, after), ...olderNews(before, after), ...goodNews(before, after), ...baseNews(before, after), ...standInNews(before, after)];
}

/** What the first state has already decided over what was on disk. */
export function firstNews(loaded: Memory, first: State): NewsLine[] {
  const [newest] = first.offers.failures;
  if (newest === undefined || first.offers.failures === loaded.failures) return [];
  const message = newest.hash === "" ? "Configuration cannot run" : "Remote configuration failed";
  return [{ level: "error", message, fields: { hash: newest.hash, because: newest.reason } }];
}

function offerNews(before: State, after: State): NewsLine[] {
  const { repeats, status } = after.offers;
  if (repeats !== before.offers.repeats) return [info("Known status is repeated", { hash: status?.hash ?? "", because: "the server offered the same again" })];
  if (status === null || before.offers.status === status) return [];
  const { hash } = status;
  switch (status.is) {
    case "applying":
      return [...superseded(before, hash), info("Remote configuration received", { hash, because: before.offers.status?.hash === hash ? "it is tried again" : "the server offered it" })];
    case "applied":
      return [info("Remote configuration applied", { hash, because: "the Collector is healthy with it" })];
    case "failed":
      return failed(before, after, status);
  }
}

/** The one before gets no outcome, and this is the only word of it. */
function superseded(before: State, hash: string): NewsLine[] {
  const { status } = before.offers;
  if (status?.is !== "applying" || status.hash === hash) return [];
  return [info("Remote configuration superseded", { hash: status.hash, because: `configuration ${shortHash(hash)} was offered` })];
}

function failed(before: State, after: State, status: RemoteStatus): NewsLine[] {
  const { hash } = status;
  // In the very words that the server is told.
  const error = toldError(after, status);
  const { rollout } = before;
  const fields = { hash, because: error };
  const ran = rollout.is === "trying" ? rollout.build : rollout.is === "idle" ? (before.probation?.build ?? null) : null;
  if (ran === null) return [{ level: "error", message: "Remote configuration refused", fields }];
  const line: NewsLine = { level: "error", message: "Remote configuration failed", fields, result: { digest: ran.prepared.digest, is: "failed", because: error } };
  return [line, ...goingBack(ran, after)];
}

/** What was applied before the newest offer failed by itself: no status says so. */
function olderNews(before: State, after: State): NewsLine[] {
  const { probation } = before;
  const [newest] = after.offers.failures;
  const isOver = probation?.of === "offer" && after.probation === null && newest !== before.offers.failures[0];
  if (!isOver || newest?.hash !== probation.hash || after.offers.status !== before.offers.status) return [];
  const { digest } = probation.build.prepared;
  const line: NewsLine = { level: "error", message: "Remote configuration failed", fields: { hash: newest.hash, because: newest.reason }, result: { digest, is: "failed", because: newest.reason } };
  return [line, ...goingBack(probation.build, after)];
}

function goingBack(failed: Build, { wanted }: State): NewsLine[] {
  if (wanted.is !== "run" || sameBuild(wanted.run.build, failed)) return [];
  return [info("Going back", { because: wanted.because, ...nameOf(wanted.run.build) })];
}

function goodNews(before: State, after: State): NewsLine[] {
  const { proven } = after.offers;
  const was = before.offers.proven;
  if (proven === null || (proven.digest === was?.digest && proven.executable === was.executable)) return [];
  const because = before.probation === null ? "the Collector is healthy with it" : "it passed its probation";
  const fields = { hash: proven.remoteHash ?? "", config: shortHash(proven.digest), because };
  return [{ ...info("Configuration is good", fields), result: { digest: proven.digest, is: "good", because } }];
}

function baseNews(before: State, after: State): NewsLine[] {
  const { base } = after;
  if (base.refusal === "" || base.refusal === before.base.refusal) return [];
  const fields = { because: base.refusal, ...hashOf(after) };
  return [{ level: "error", message: "Configuration cannot run", fields }];
}

function standInNews(before: State, after: State): NewsLine[] {
  const was = before.standIn;
  const now = after.standIn;
  if (now === null) return was === null ? [] : [info("Nothing stands in any more", hashOf(after))];
  if (was === null || was.from !== now.from) {
    return [{ level: "error", message: "Stepping down", fields: { because: whyStandIn(after), to: now.from, ...hashOf(after) } }];
  }
  if (now.isTrying && !was.isTrying) return [info("Trying again", { because: `${nameOfBase(after)} may run by now`, ...hashOf(after) })];
  if (now.tries === was.tries) return [];
  return [{ level: "warn", message: "Still does not run", fields: { because: now.reason, tries: now.tries, ...hashOf(after) } }];
}

function hashOf({ base }: State): { hash: string } {
  return { hash: base.remote?.hash ?? "" };
}
