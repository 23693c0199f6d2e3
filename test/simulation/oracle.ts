/**
 * Judges by the truth of the world, never by the belief of the core.
 *
 * Safety: APPLIED only if the world's Collector really ran that content healthy; FAILED only for a reason that the world
 * had; no status before it is on disk; what is saved as working really worked; never two Collectors.
 * Liveness: once the world is quiet, what runs is what is wanted, and the server knows it.
 */
import type { Memory } from "../../src/core/memory.js";
import type { Report } from "../../src/core/report.js";
import type { RemoteConfig } from "../../src/core/values.js";

export class Violation extends Error {}

export class Oracle {
  readonly #now: () => number;
  readonly #contents = new Map<string, string>();
  readonly #healthy = new Set<string>(["local"]);
  readonly #rejected = new Set<string>();
  readonly #finals = new Map<string, string>();
  #disk: Memory | null = null;
  #saveFailed = false;
  #lastOffered = "";
  #starts: number[] = [];
  #last: Report | null = null;
  #newest: RemoteConfig | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  check(condition: boolean, message: string): void {
    if (!condition) throw new Violation(message);
  }

  offered(hash: string, content: string): void {
    this.#contents.set(hash, content);
    // Another offer lay in between: this one begins a new course, and its outcome may be another.
    if (hash !== this.#lastOffered) this.#finals.delete(hash);
    this.#lastOffered = hash;
  }

  healthy(content: string): void {
    this.#healthy.add(content);
  }

  refused(content: string): void {
    this.#rejected.add(content);
  }

  rejected(content: string): void {
    this.#rejected.add(content);
  }

  saveFailed(): void {
    this.#saveFailed = true;
  }

  started(): void {
    this.#starts.push(this.#now());
    this.#starts = this.#starts.filter((at) => this.#now() - at < 10_000);
    this.check(this.#starts.length <= 60, "more than 60 starts in 10 s");
  }

  saved(memory: Memory): void {
    this.#disk = memory;
    const working = memory.lastWorking;
    if (working !== null) {
      const content = this.#contents.get(working.hash) ?? "";
      this.check(this.#healthy.has(content) || content.startsWith("nothing"), `saved as working, never was: ${working.hash}`);
    }
  }

  told(report: Report, ran: boolean): void {
    this.#last = report;
    const { status } = report.remoteConfig;
    if (report.health.healthy && !ran) {
      this.check(report.health.status.startsWith("not running"), "healthy is told, and nothing runs");
    }
    if (status === null || status.is === "applying") return;
    const content = this.#contents.get(status.hash) ?? "";
    const before = this.#finals.get(status.hash);
    this.check(before === undefined || before === status.is || before === "failed-unsaved", `${status.hash} was ${before}, is ${status.is}`);
    if (status.is === "applied") {
      this.check(this.#healthy.has(content) || content.startsWith("nothing"), `applied, never healthy: ${status.hash}`);
      this.check(this.#disk?.status?.hash === status.hash && this.#disk.status.is === "applied", `told before it is on disk: ${status.hash}`);
      this.#finals.set(status.hash, "applied");
      return;
    }
    if (status.error.startsWith("cannot store")) {
      this.check(this.#saveFailed, `failed for storage, which never failed: ${status.hash}`);
      this.#finals.set(status.hash, "failed-unsaved");
      return;
    }
    const slow = /^(silent|sick|slow)/.test(content);
    this.check(this.#rejected.has(content) || slow, `failed without a reason in the world: ${status.hash}`);
    this.#finals.set(status.hash, "failed");
  }

  /** From here on nothing goes wrong any more. */
  calm(newest: RemoteConfig | null): void {
    this.#newest = newest;
  }

  /** The world has been quiet for long: what runs is what is wanted, and the server knows it. */
  atRest(running: readonly string[]): void {
    const status = this.#last?.remoteConfig.status ?? null;
    this.check(this.#last !== null, "the server was never told anything");
    if (this.#newest !== null && status?.hash === this.#newest.hash) {
      this.check(status.is !== "applying", `no final status for ${status.hash}`);
    }
    if (status?.is === "applied") {
      const content = this.#contents.get(status.hash) ?? "";
      const wanted = content.startsWith("nothing") ? [] : [content];
      this.check(running.join() === wanted.join(), `applied ${content}, but what runs is ${running.join() || "nothing"}`);
    } else {
      const fine = running.length === 0 ? this.#last?.health.status.startsWith("not running") === true : this.#healthy.has(running[0] ?? "");
      this.check(fine, `${status?.is ?? "unset"}, and what runs is ${running.join() || "nothing"}`);
    }
    this.check(this.#last?.health.healthy === true, `not healthy at rest: ${this.#last?.health.lastError ?? ""}`);
  }
}
