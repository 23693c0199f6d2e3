/**
 * Judges by the truth of the world, never by the belief of the core.
 *
 * Safety: APPLIED only if the world's Collector really ran that content healthy; FAILED only for a reason that the world
 * had; no status before it is on disk; what is saved as working really worked; never two Collectors.
 * Liveness: once the world is quiet, what runs is what is wanted, and the server knows it.
 */
import type { Memory } from "../../src/core/memory.js";
import type { Report } from "../../src/core/report.js";
import type { RemoteConfig, RemoteStatus } from "../../src/core/values.js";

const PROBATION_MS = 60_000;

export class Violation extends Error {}

export class Oracle {
  /** The first violation, for edges whose errors the loop is right to survive. */
  violation: Violation | null = null;
  readonly #now: () => number;
  readonly #contents = new Map<string, string>();
  /** Composed texts; below, contents are what their first half says. */
  readonly #healthy = new Set<string>();
  readonly #rejected = new Set<string>();
  readonly #finals = new Map<string, string>();
  #disk: Memory | null = null;
  /** Contents that were prepared in this life of the supervisor or just offered, and in how many lives that ended by a death. */
  readonly #begun = new Map<string, "offered" | "prepared">();
  #offeredAt = -Infinity;
  readonly #deaths = new Map<string, number>();
  #saveFailed = false;
  #stretch: { readonly text: string; readonly since: number } | null = null;
  /** The longest stretch of health of each text. */
  readonly #longest = new Map<string, number>();
  readonly #good = new Set<string>();
  #provenText: string | null = null;
  readonly #stored = new Set<string>();
  #newest = "";
  readonly #prepares: number[] = [];
  #crashes: number[] = [];
  /** All of them, since the last disturbance. */
  #allCrashes: number[] = [];
  #last: Report | null = null;
  /** The text that each content was last started as; those that failed. */
  readonly #started = new Map<string, string>();
  /** The executable with which each content was last started. */
  readonly #startedWith = new Map<string, number>();
  /** The newest versions of the local files and of the executable. */
  #layers = 0;
  #executable = 1;
  readonly #failed = new Map<string, number>();
  #forgivenAt = -Infinity;
  #lastTold: RemoteStatus | null = null;
  #lastSaved: RemoteStatus | null = null;
  /** When the newest status of each hash was stored. */
  readonly #savedAt = new Map<string, number>();

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
    this.#offeredAt = this.#now();
    if (!this.#begun.has(content)) this.#begun.set(content, "offered");
  }

  /** What failed after it was started is not started again soon, unless it worked before or somebody wants another try. */
  started(text: string): void {
    const failedAt = this.#failed.get(text);
    const isAsked = this.#now() - this.#forgivenAt < 25_000;
    this.check(failedAt === undefined || isAsked || this.#now() - failedAt > 25_000, `started once more although it failed: ${text}`);
    this.#started.set(contentIn(text), text);
    this.#startedWith.set(contentIn(text), this.#executable);
  }

  /** The Collector reported healthy with this text; a stretch of health begins, if none was under way. */
  healthy(text: string): void {
    this.#healthy.add(contentIn(text));
    if (this.#stretch?.text === text) return;
    this.ended();
    this.#stretch = { text, since: this.#now() };
  }

  /** The process ended, for whatever reason. */
  ended(): void {
    if (this.#stretch !== null) this.#longest.set(this.#stretch.text, this.#lasted(this.#stretch.text));
    this.#stretch = null;
  }

  /** The longest stretch of health that this text ever had. */
  #lasted(text: string): number {
    const current = this.#stretch?.text === text ? this.#now() - this.#stretch.since : 0;
    return Math.max(current, this.#longest.get(text) ?? 0);
  }

  /** There is a reason in the world why it may fail. */
  hasReason(text: string): void {
    this.#rejected.add(contentIn(text));
  }

  rejected(text: string): void {
    this.#rejected.add(contentIn(text));
    this.ended();
  }

  /** @param isSaving right before or after a save: what that says has begun, though nobody has seen it begin */
  died(isSaving: boolean): void {
    const stored = this.#contents.get(this.#disk?.lastReceived?.hash ?? "");
    if (isSaving && stored !== undefined) this.#begun.set(stored, "prepared");
    for (const [content, how] of this.#begun) {
      // Longer than the pause that ends a burst it only waits for something else.
      if (how === "prepared" || this.#now() - this.#offeredAt < 2_500) this.#deaths.set(content, (this.#deaths.get(content) ?? 0) + 1);
    }
    this.#begun.clear();
  }

  saveFailed(): void {
    this.#saveFailed = true;
  }

  /** Somebody wants another try of what failed, or the local files changed: then it may be applied. */
  forgiven(): void {
    this.#failed.clear();
    this.#forgivenAt = this.#now();
    for (const [hash, final] of this.#finals) if (final === "failed") this.#finals.set(hash, "failed-blameless");
  }

  /** Somebody has changed the local files or the executable; they are used when they are looked at the next time. */
  hostIs({ executable, layers }: { readonly executable: number; readonly layers: number }): void {
    this.#executable = executable;
    this.#layers = layers;
  }

  /** Something from outside happened, so restarts may begin afresh. */
  disturbed(): void {
    this.#crashes = [];
    this.#allCrashes = [];
  }

  /** The Collector ended by its own fault. With growing pauses there is no room for many ends in a short time. */
  crashed(): void {
    this.#crashes = [...this.#crashes.filter((at) => this.#now() - at < 10_000), this.#now()];
    this.#allCrashes.push(this.#now());
    this.check(this.#crashes.length <= 20, `${this.#crashes.length} crashes in 10 s: restarts are not paced`);
  }

  /** What is sound, APPLIED and healthy is not stopped for less; nothing is stopped for something that has to be prepared first. */
  stops(text: string, next: string, because: string): void {
    if (this.#stretch?.text !== text) return;
    const status = this.#last?.remoteConfig.status;
    const isApplied = status?.is === "applied" && this.#contents.get(status.hash) === contentIn(text);
    if (isApplied) this.check(!/^(local|fallback)@/.test(next), `stopped for less: ${because}`);
    this.check(next !== "" || !because.includes("prepared"), `stopped for nothing: ${because}`);
  }

  /** Nothing is tried before it is on disk. */
  prepares(remote: RemoteConfig | null): void {
    this.#prepares.push(this.#now());
    if (remote !== null) this.#begun.set(this.#contents.get(remote.hash) ?? "", "prepared");
    this.check(remote === null || this.#stored.has(remote.hash), `prepared before it was on disk: ${remote?.hash ?? ""}`);
  }

  saved(memory: Memory): void {
    this.#disk = memory;
    if (memory.status !== null && memory.status !== this.#lastSaved) this.#savedAt.set(memory.status.hash, this.#now());
    this.#lastSaved = memory.status;
    if (memory.lastReceived !== null) this.#stored.add(memory.lastReceived.hash);
    const about = memory.status?.hash ?? memory.lastReceived?.hash;
    this.check(about === memory.lastReceived?.hash, `a status for ${about ?? ""}, which is superseded`);
    this.#savedProven(memory.proven?.text ?? null);
    const working = this.#contents.get(memory.lastWorking?.hash ?? "");
    if (working === undefined || this.#good.has(working)) return;
    if (working.startsWith("nothing")) return void this.#good.add(working);
    const texts = [this.#stretch?.text ?? "", ...this.#longest.keys()].filter((text) => contentIn(text) === working);
    const lasted = Math.max(0, ...texts.map((text) => this.#lasted(text)));
    // News of the first moment of health travels to the loop, and the end of the probation to the disk.
    this.check(lasted >= PROBATION_MS - 20, `saved as good after ${lasted} ms of health: ${working}`);
    this.#good.add(working);
  }

  /** What is returned to as one is the very text that lasted; only the first ever may be taken as it comes. */
  #savedProven(text: string | null): void {
    const before = this.#provenText;
    if (text === before) return;
    this.#provenText = text;
    if (before === null || text === null || text.startsWith("nothing")) return;
    this.check(!text.startsWith("fallback"), "the startup fallback is taken for good");
    this.check(this.#lasted(text) >= PROBATION_MS - 20, `proven after ${this.#lasted(text)} ms of health: ${text}`);
  }

  /** @param ran the text that runs, or ran until now; null for none */
  told(report: Report, ran: string | null): void {
    this.#last = report;
    const { status } = report.remoteConfig;
    if (report.health.healthy) this.#toldHealthy(report, ran);
    if (status === null || status.is === "applying") return;
    // Told once more, it is no new outcome.
    const again = this.#lastTold === status;
    this.#lastTold = status;
    if (again && status.is === "failed") return;
    const content = this.#contents.get(status.hash) ?? "";
    const before = this.#finals.get(status.hash);
    const turned = before === "applied" && status.is === "failed";
    this.check(before === undefined || before === status.is || turned || before === "failed-blameless", `${status.hash} was ${before}, is ${status.is}`);
    if (status.is === "applied") {
      this.check(this.#healthy.has(content) || content.startsWith("nothing"), `applied, never healthy: ${status.hash}`);
      this.check(this.#disk?.status?.hash === status.hash && this.#disk.status.is === "applied", `told before it is on disk: ${status.hash}`);
      // Where nothing was to run, all that it asked for was true; and what worked may be returned to, whatever becomes of it.
      this.#healthy.add(content);
      this.#finals.set(status.hash, "applied");
      return;
    }
    if (status.error.startsWith("cannot store")) {
      this.check(this.#saveFailed, `failed for storage, which never failed: ${status.hash}`);
      this.#finals.set(status.hash, "failed-blameless");
      return;
    }
    const isStored = this.#disk?.status?.hash === status.hash && this.#disk.status.is === "failed";
    const isUntried = this.#saveFailed && status.error.startsWith("the configuration was not tried");
    this.check(isStored || isUntried, `FAILED is told before it is on disk: ${status.hash}`);
    if (/^(impossible now|the configuration was not tried)/.test(status.error)) return void this.#finals.set(status.hash, "failed-blameless");
    // No fault of the configuration either: the same may be offered again, and work.
    if (/^the Collector could not be (started|reloaded)/.test(status.error)) {
      this.check(this.#rejected.has(content), `failed for a start that never failed: ${status.hash}`);
      this.#finals.set(status.hash, "failed-blameless");
      return;
    }
    if (status.error.startsWith("the supervisor ended")) {
      const deaths = this.#deaths.get(content) ?? 0;
      this.check(deaths >= 3, `failed for ${deaths} deaths of the supervisor: ${status.hash}`);
      return void this.#finals.set(status.hash, this.#failedHow(status.hash));
    }
    const text = this.#started.get(content);
    if (text !== undefined && !status.error.startsWith("refused") && !this.#healthy.has(content)) this.#noteFailure(status.hash, text);
    const slow = /^(silent|sick|slow|falls)/.test(content);
    this.check(this.#rejected.has(content) || slow, `failed without a reason in the world: ${status.hash}`);
    this.#finals.set(status.hash, this.#failedHow(status.hash));
  }

  /** What fails while the local files or the executable change, or ran with those of before, may work with the new ones. */
  #failedHow(hash: string): string {
    const content = this.#contents.get(hash) ?? "";
    const isOlder = this.#startedWith.has(content) && this.#startedWith.get(content) !== this.#executable;
    if (isOlder || this.#started.get(content)?.endsWith(`@${this.#layers}`) === false) return "failed-blameless";
    const failedAt = this.#savedAt.get(hash) ?? this.#now();
    return failedAt - this.#forgivenAt < 120_000 ? "failed-blameless" : "failed";
  }

  /** A server that was away hears of it late: somebody may have asked for another try meanwhile. */
  #noteFailure(hash: string, text: string): void {
    if ((this.#savedAt.get(hash) ?? this.#now()) >= this.#forgivenAt) this.#failed.set(text, this.#now());
  }

  /** At no time may less than what is APPLIED be told to be all right. */
  #toldHealthy({ health, remoteConfig: { status } }: Report, ran: string | null): void {
    if (ran === null) return this.check(health.status.startsWith("not running"), "healthy is told, and nothing runs");
    const applied = status?.is === "applied" ? this.#contents.get(status.hash) : undefined;
    const isLess = applied !== undefined && !applied.startsWith("nothing") && contentIn(ran) !== applied;
    this.check(!isLess, `told healthy with ${applied ?? ""} applied, and ${ran} runs`);
  }

  /** The world has been quiet for long: what runs is what is wanted, and the server knows it. */
  atRest(running: readonly string[], host: Host): void {
    const report = this.#last;
    const status = report?.remoteConfig.status ?? null;
    this.check(report !== null, "the server was never told anything");
    this.check(status?.is !== "applying", `no final status for ${status?.hash ?? ""}`);
    this.check(!/^(cannot store|impossible now|the configuration was not tried|the Collector could not be (started|reloaded))/.test(status?.error ?? ""), `never tried again: ${status?.error ?? ""}`);
    const late = this.#allCrashes.filter((at) => this.#now() - at < 600_000).length;
    this.check(late <= 20, `${late} crashes in 10 minutes at rest: nothing is ever held`);
    const prepares = this.#prepares.filter((at) => this.#now() - at < 600_000).length;
    this.check(prepares <= 70, `${prepares} preparations in 10 minutes at rest`);
    const text = running[0] ?? "";
    const runs = contentIn(text);
    const wanted = status?.is === "applied" ? (this.#contents.get(status.hash) ?? "") : "";
    this.check(!/^(dies|flips|falls|deadly)/.test(wanted), `applied for good, and it does not last: ${wanted}`);
    const isNothing = wanted.startsWith("nothing") && runs === "";
    const isWanted = wanted === "" || runs === wanted || isNothing;
    if (!host.isSpoiled) {
      this.check(isWanted, `applied ${wanted}, but what runs is ${runs || "nothing"}`);
      this.check(runs !== "fallback", "the startup fallback runs, and nothing is wrong with what should run");
      this.check(report?.health.healthy === true, `not healthy at rest: ${report?.health.lastError ?? ""}`);
    }
    if (wanted !== "" && host.proven !== null && contentIn(host.proven) === wanted) {
      this.check(isWanted, `${host.proven} is proven, but what runs is ${runs || "nothing"}`);
    }
    this.check(host.proven === null || runs !== "" || isNothing, `${host.proven ?? ""} is proven, and nothing runs`);
    if (report?.health.healthy !== true) return;
    this.check(isWanted, `told healthy with ${wanted} applied, but what runs is ${runs || "nothing"}`);
    if (runs === "") return this.check(report.health.status.startsWith("not running"), "told healthy, and nothing runs");
    this.check(this.#healthy.has(runs), `told healthy, and ${runs} never was`);
  }
}

export interface Host {
  /** The local files, or the local configuration, cannot run: what is wanted may be impossible. */
  readonly isSpoiled: boolean;
  /** The text that is on disk as proven. */
  readonly proven: string | null;
}

/** A composed text is a content and the version of the local files. */
function contentIn(text: string): string {
  return text.split("@")[0] ?? "";
}
