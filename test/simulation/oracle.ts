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

const PROBATION_MS = 60_000;

export class Violation extends Error {}

export class Oracle {
  /** The first violation, for edges whose errors the loop is right to survive. */
  violation: Violation | null = null;
  readonly #now: () => number;
  readonly #contents = new Map<string, string>();
  readonly #healthy = new Set<string>(["local"]);
  readonly #rejected = new Set<string>();
  readonly #finals = new Map<string, string>();
  #disk: Memory | null = null;
  #deaths = 0;
  #saveFailed = false;
  #stretch: { readonly content: string; readonly since: number } | null = null;
  /** The longest stretch of health of each content. */
  readonly #longest = new Map<string, number>();
  readonly #good = new Set<string>();
  readonly #stored = new Set<string>();
  #newest = "";
  #crashes: number[] = [];
  #last: Report | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  check(condition: boolean, message: string): void {
    if (condition) return;
    this.violation ??= new Violation(message);
    throw this.violation;
  }

  offered(hash: string, content: string): void {
    this.#contents.set(hash, content);
    // Offered once more after others: it may have been good then and fail now, or have been failed by what is gone.
    if (hash !== this.#newest && this.#finals.get(hash) === "applied") this.#finals.delete(hash);
    this.#newest = hash;
  }

  /** The Collector reported healthy with this content; a stretch of health begins, if none was under way. */
  healthy(content: string): void {
    this.#healthy.add(content);
    if (this.#stretch?.content === content) return;
    this.ended();
    this.#stretch = { content, since: this.#now() };
  }

  /** The process ended, for whatever reason. */
  ended(): void {
    if (this.#stretch !== null) this.#longest.set(this.#stretch.content, Math.max(this.#longest.get(this.#stretch.content) ?? 0, this.#now() - this.#stretch.since));
    this.#stretch = null;
  }

  refused(content: string): void {
    this.#rejected.add(content);
  }

  rejected(content: string): void {
    this.#rejected.add(content);
    this.ended();
  }

  died(): void {
    this.#deaths++;
  }

  saveFailed(): void {
    this.#saveFailed = true;
  }

  /** Something from outside happened, so restarts may begin afresh. */
  disturbed(): void {
    this.#crashes = [];
  }

  /** The Collector ended by its own fault. With growing pauses there is no room for many ends in a short time. */
  crashed(): void {
    this.#crashes = [...this.#crashes.filter((at) => this.#now() - at < 10_000), this.#now()];
    this.check(this.#crashes.length <= 20, `${this.#crashes.length} crashes in 10 s: restarts are not paced`);
  }

  /** Nothing is tried before it is on disk. */
  prepares(remote: RemoteConfig | null): void {
    this.check(remote === null || this.#stored.has(remote.hash), `prepared before it was on disk: ${remote?.hash ?? ""}`);
  }

  saved(memory: Memory): void {
    this.#disk = memory;
    if (memory.lastReceived !== null) this.#stored.add(memory.lastReceived.hash);
    const about = memory.status?.hash ?? memory.lastReceived?.hash;
    this.check(about === memory.lastReceived?.hash, `a status for ${about ?? ""}, which is superseded`);
    const working = this.#contents.get(memory.lastWorking?.hash ?? "");
    if (working === undefined || this.#good.has(working)) return;
    if (working.startsWith("nothing")) return void this.#good.add(working);
    const current = this.#stretch?.content === working ? this.#now() - this.#stretch.since : 0;
    const lasted = Math.max(current, this.#longest.get(working) ?? 0);
    // News of the first moment of health travels to the loop, and the end of the probation to the disk.
    this.check(lasted >= PROBATION_MS - 20, `saved as good after ${lasted} ms of health: ${working}`);
    this.#good.add(working);
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
    const turned = before === "applied" && status.is === "failed";
    this.check(before === undefined || before === status.is || turned || before === "failed-blameless", `${status.hash} was ${before}, is ${status.is}`);
    if (status.is === "applied") {
      this.check(this.#healthy.has(content) || content.startsWith("nothing"), `applied, never healthy: ${status.hash}`);
      this.check(this.#disk?.status?.hash === status.hash && this.#disk.status.is === "applied", `told before it is on disk: ${status.hash}`);
      this.#finals.set(status.hash, "applied");
      return;
    }
    if (status.error.startsWith("cannot store")) {
      this.check(this.#saveFailed, `failed for storage, which never failed: ${status.hash}`);
      this.#finals.set(status.hash, "failed-blameless");
      return;
    }
    // No fault of the configuration either: the same may be offered again, and work.
    if (status.error.startsWith("the Collector could not be started")) {
      this.check(this.#rejected.has(content), `failed for a start that never failed: ${status.hash}`);
      this.#finals.set(status.hash, "failed-blameless");
      return;
    }
    if (status.error.startsWith("the supervisor ended")) {
      this.check(this.#deaths >= 3, `failed for ${this.#deaths} deaths of the supervisor: ${status.hash}`);
      this.#finals.set(status.hash, "failed");
      return;
    }
    const slow = /^(silent|sick|slow|falls)/.test(content);
    this.check(this.#rejected.has(content) || slow, `failed without a reason in the world: ${status.hash}`);
    this.#finals.set(status.hash, "failed");
  }

  /** The world has been quiet for long: what runs is what is wanted, and the server knows it. */
  atRest(running: readonly string[]): void {
    const status = this.#last?.remoteConfig.status ?? null;
    this.check(this.#last !== null, "the server was never told anything");
    this.check(status?.is !== "applying", `no final status for ${status?.hash ?? ""}`);
    if (status?.is === "applied") {
      const content = this.#contents.get(status.hash) ?? "";
      this.check(!/^(dies|flips|falls)/.test(content), `applied for good, and it does not last: ${content}`);
      const wanted = content.startsWith("nothing") ? [] : [content];
      this.check(running.join() === wanted.join(), `applied ${content}, but what runs is ${running.join() || "nothing"}`);
    } else {
      const fine = running.length === 0 ? this.#last?.health.status.startsWith("not running") === true : this.#healthy.has(running[0] ?? "");
      this.check(fine, `${status?.is ?? "unset"}, and what runs is ${running.join() || "nothing"}`);
    }
    this.check(this.#last?.health.healthy === true, `not healthy at rest: ${this.#last?.health.lastError ?? ""}`);
  }
}
