/**
 * The world around the supervisor: a server, a disk, Collectors and their executable, with all that goes wrong in them.
 * It knows the truth (what each process really ran, whether it really was healthy) and shares nothing with the core: the
 * oracle judges what the supervisor says by this truth alone.
 */
import { begin } from "../../src/core/begin.js";
import type { ConfigSource, Effect } from "../../src/core/effect.js";
import type { Event } from "../../src/core/event.js";
import type { Memory } from "../../src/core/memory.js";
import type { Report } from "../../src/core/report.js";
import type { Build, ComponentHealth, ExecutableFacts, RemoteConfig, Verdict } from "../../src/core/values.js";
import { silentLogger } from "../../src/lib/log.js";
import { Mailbox } from "../../src/lib/mailbox.js";
import { Supervisor } from "../../src/supervisor.js";
import { answerOf, emptyMemory, offerOf, testFacts, testPolicy } from "../support/story.js";
import { Agenda } from "./agenda.js";
import { Oracle } from "./oracle.js";
import { Random } from "./random.js";

/** What a configuration does to a Collector. An offer's content is named after it; a composed text is `content@version of the local files`. */
export type Nature = "good" | "refused" | "crashes" | "silent" | "sick" | "slow" | "nothing" | "dies-soon" | "dies-late" | "flips" | "falls-ill";

const NATURES: readonly [Nature, ...Nature[]] = [
  "good",
  "good",
  "good",
  "refused",
  "crashes",
  "silent",
  "sick",
  "slow",
  "nothing",
  "dies-soon",
  "dies-late",
  "flips",
  "falls-ill",
];

type Spoil = "" | "refused" | "crashes" | "silent" | "sick";

const TURNS_MAX = 1_000;

interface Collector {
  readonly attempt: number;
  readonly life: number;
  content: string;
  link: number;
  alive: boolean;
}

export class World {
  readonly random: Random;
  readonly agenda = new Agenda();
  readonly oracle: Oracle;
  readonly trace: string[] = [];
  /** How often each kind of fault happened. */
  readonly faults = new Map<string, number>();
  quiet = false;
  #life = 0;
  #dead = true;
  /** What the loop threw: a violation that an edge noticed, or a bug. */
  #failure: unknown = null;
  #mailbox = new Mailbox<Event>();
  #disk: Memory = emptyMemory;
  #collectors: Collector[] = [];
  #links = 0;
  #endedAt = -Infinity;
  #connected = false;
  #told: Report | null = null;
  #offers: RemoteConfig[] = [];
  #hashes = 0;
  #diskFullUntil = 0;
  /** Another program holds a port that every configuration needs. */
  #occupiedUntil = 0;
  /** The version of the local files, and what each of them does to every configuration that it takes part in. */
  #layers = 0;
  readonly #spoils = new Map<number, Spoil>([[0, ""]]);
  /** The version of the Collector's executable, and until when nobody can run it. */
  #executable = 1;
  #awayUntil = 0;
  /** The version that was described last. */
  #known = 0;
  readonly #local: Nature;
  readonly #fallback: Nature | null;
  finished = false;
  #turns = 0;
  #turnedAt = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.oracle = new Oracle(() => this.agenda.now);
    this.#local = this.random.chance(0.9) ? "good" : this.random.pick(["refused", "crashes"]);
    this.#fallback = this.random.chance(0.5) ? null : this.random.pick(["good", "good", "good", "refused", "crashes"]);
  }

  /** Lets the disturbed time pass, then the quiet one, then shuts down. */
  async run(): Promise<void> {
    this.boot();
    const end = this.random.between(2_000, this.random.chance(0.2) ? 400_000 : 90_000);
    const disturbances = this.random.between(2, 14);
    for (let i = 0; i < disturbances; i++) this.agenda.at(this.random.next() * end, () => this.disturb());
    await this.until(end);
    this.quiet = true;
    this.#diskFullUntil = 0;
    this.#awayUntil = 0;
    if (!this.#connected) this.connect();
    await this.until(end + 1_200_000);
    const running = this.#collectors.filter((one) => one.alive).map((one) => one.content);
    this.oracle.atRest(running, { isSpoiled: this.#isSpoiled(running[0]), proven: this.#disk.proven?.text ?? null });
    this.post({ is: "shutdown-requested", because: "end of the simulation" });
    await this.until(this.agenda.now + 60_000);
    this.oracle.check(this.finished, "shutdown does not end");
    this.oracle.check(!this.#collectors.some((one) => one.alive), "a Collector outlives the shutdown");
  }

  async until(end: number): Promise<void> {
    do {
      await settled();
      const failure = this.oracle.violation ?? this.#failure;
      if (failure !== null) throw failure as Error;
    } while (this.agenda.advance(end));
    await settled();
  }

  /** A life of the supervisor begins with what is on disk. */
  boot(): void {
    const life = ++this.#life;
    const mine = (): boolean => life === this.#life;
    this.note(`boot ${life}: ${this.#disk.status?.is ?? "none"} ${this.#disk.status?.hash ?? ""}`);
    this.#mailbox = new Mailbox();
    this.#told = null;
    const policy = { ...testPolicy, reloadsByHup: this.random.chance(0.3), hasStartupFallback: this.#fallback !== null };
    const remembered = this.#known === this.#executable && this.random.chance(0.5) ? { executable: this.#facts(), description: null, components: null } : null;
    const supervisor = new Supervisor(begin(policy, this.#disk, remembered, { now: this.agenda.now, at: "" }), this.#disk, {
      clock: this.agenda.clock(),
      random: () => this.random.next(),
      log: { ...silentLogger, debug: () => this.#turned() },
      record: () => undefined,
      mailbox: this.#mailbox,
      save: (memory) => (mine() ? this.save(memory) : new Promise(() => undefined)),
      perform: (effect) => {
        if (mine()) this.perform(effect);
      },
      tell: (report) => {
        if (mine()) this.tell(report);
      },
    });
    this.#dead = false;
    supervisor.run().catch((error: unknown) => {
      this.#failure = error;
    });
    if (this.quiet || this.random.chance(0.6)) return this.connect();
    this.fault("server away");
    this.agenda.at(this.random.between(10, 40_000), () => {
      if (mine()) this.connect();
    });
  }

  disturb(): void {
    const kind = this.random.pick(["offer", "offer", "offer", "repeat", "burst", "death", "disconnect", "crash", "diskfull", "restart", "identity", "occupied", "layers", "retry", "executable", "away"]);
    this.fault(kind);
    this.note(`disturb ${kind}`);
    this.oracle.disturbed();
    switch (kind) {
      case "offer":
        return this.offer(this.newOffer());
      case "repeat":
        return this.offer(this.#offers.length === 0 ? this.newOffer() : this.random.pick(this.#offers as [RemoteConfig]));
      case "burst":
        for (let i = 0; i < 5; i++) {
          this.agenda.at(i * this.random.between(1, 400), () => {
            this.oracle.disturbed();
            this.offer(this.newOffer());
          });
        }
        return;
      case "death":
        return this.die();
      case "disconnect":
        this.#connected = false;
        this.post({ is: "server-lost", error: "gone" });
        this.agenda.at(this.random.between(10, 5_000), () => this.connect());
        return;
      case "crash":
        for (const one of this.#collectors.filter((each) => each.alive)) this.end(one, 2, "crash");
        return;
      case "diskfull":
        this.#diskFullUntil = this.agenda.now + this.random.between(10, 20_000);
        return;
      case "occupied":
        this.#occupiedUntil = this.agenda.now + this.random.between(10, 40_000);
        return;
      case "layers":
        // Read at the next composition.
        this.oracle.forgiven();
        this.#spoils.set(++this.#layers, this.random.pick(["", "", "", "refused", "crashes", "silent", "sick"]));
        return;
      case "executable":
        // Replaced on the host: noticed at the next preparation, or the next start of the supervisor.
        this.#executable++;
        return;
      case "away":
        this.#awayUntil = this.agenda.now + this.random.between(10, 40_000);
        return;
      case "retry":
        if (this.#dead) return;
        this.oracle.forgiven();
        return this.post({ is: "retry-requested" });
      case "restart":
        this.oracle.forgiven();
        return this.post({ is: "restart-commanded" });
      case "identity":
        return this.post({ is: "identity-assigned", instanceUid: `uid-${this.random.between(1, 3)}` });
    }
  }

  newOffer(): RemoteConfig {
    const nature = this.random.pick(NATURES);
    const content = `${nature}-${this.random.between(1, 3)}`;
    return offerOf(content, `h${++this.#hashes}-${content}`);
  }

  offer(config: RemoteConfig): void {
    if (!this.#connected || this.#dead || this.quiet) return;
    this.#offers.push(config);
    this.oracle.offered(config.hash, contentOf(config));
    this.post({ is: "remote-config-offered", config });
  }

  connect(): void {
    if (this.#connected || this.#dead) return;
    this.#connected = true;
    this.post({ is: "server-connected" });
    if (this.#told !== null) this.deliver(this.#told);
  }

  /** The supervisor is killed at whatever it is doing; its Collector goes with it (or is ended by the next life). */
  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.oracle.died();
    this.#life++;
    for (const one of this.#collectors) one.alive = false;
    this.oracle.ended();
    this.#connected = false;
    this.agenda.at(this.random.between(1, 500), () => this.boot());
  }

  post(event: Event): void {
    this.note(`> ${event.is}${"attempt" in event ? ` #${event.attempt}` : ""}${event.is === "remote-config-offered" ? ` ${event.config.hash}` : ""}${event.is === "collector-health" ? ` ${event.verdict}` : ""}`);
    this.#mailbox.post(event);
  }

  async save(memory: Memory): Promise<void> {
    const life = this.#life;
    await new Promise<void>((resolve) => this.agenda.at(this.random.between(0, 4), resolve));
    if (life !== this.#life) return new Promise(() => undefined);
    if (this.agenda.now < this.#diskFullUntil) {
      this.oracle.saveFailed();
      throw new Error("no space left on device");
    }
    this.note(`  saved ${memory.status?.is ?? "none"} ${memory.status?.hash ?? ""} working ${memory.lastWorking?.hash ?? "none"}`);
    this.#disk = memory;
    this.oracle.saved(memory);
  }

  tell(report: Report): void {
    this.#told = report;
    if (this.#connected) this.deliver(report);
  }

  deliver(report: Report): void {
    const { status } = report.remoteConfig;
    this.note(`  told ${status?.is ?? "unset"} ${status?.hash ?? ""} ${report.health.healthy ? "healthy" : report.health.lastError}`);
    // News of an end may lie in the mailbox while the loop saves; longer than that it may not be unknown.
    const running = this.#collectors.find((one) => one.alive) ?? (this.agenda.now - this.#endedAt <= 10 ? this.#collectors.at(-1) : undefined);
    this.oracle.told(report, running?.content ?? null);
  }

  perform(effect: Effect): void {
    this.note(`  ${effect.do} (${effect.because})`);
    const life = this.#life;
    const later = (low: number, high: number, run: () => void): void => {
      this.agenda.at(this.random.between(low, high), () => {
        if (life === this.#life) run();
      });
    };
    switch (effect.do) {
      case "describe-executable":
        return later(1, 50, () => this.describe());
      case "prepare-config":
        this.oracle.prepares(effect.source.is === "layers" ? effect.source.remote : null);
        return later(1, 900, () => this.answerPreparation(effect));
      case "start-collector":
        return this.startCollector(effect.attempt, effect.run.build, later);
      case "stop-collector":
        return later(0, 2_000, () => this.stopCollector(effect.attempt));
      case "reload-collector":
        return this.reloadCollector(effect.attempt, effect.run.build, later);
      case "finish":
        this.finished = true;
        return;
    }
  }

  describe(): void {
    if (this.agenda.now < this.#awayUntil) return this.post({ is: "executable-not-described", error: "no such file" });
    // What failed with another one may be tried with this one.
    if (this.#known !== this.#executable) this.oracle.forgiven();
    this.#known = this.#executable;
    this.post({ is: "executable-described", facts: this.#facts() });
  }

  #facts(): ExecutableFacts {
    return { ...testFacts, identity: `/otelcol:${this.#executable}` };
  }

  answerPreparation(effect: Extract<Effect, { do: "prepare-config" }>): void {
    const { ticket, source, instanceUid } = effect;
    if (this.agenda.now < Math.max(this.#awayUntil, this.#diskFullUntil)) {
      this.fault("preparation impossible");
      return this.post({ is: "config-refused", ticket, reason: "impossible now", isBlameless: true });
    }
    if (this.#known !== this.#executable) this.describe();
    const text = this.compose(source, instanceUid);
    if (this.natureOf(text) === "refused") {
      this.oracle.hasReason(text);
      return this.post({ is: "config-refused", ticket, reason: `refused ${text}`, isBlameless: false });
    }
    const build = answerOf(source, { runs: this.natureOf(text) !== "nothing", instanceUid });
    this.post({ is: "config-prepared", ticket, build: { ...build, prepared: { ...build.prepared, digest: text, text } } });
  }

  compose(source: ConfigSource, instanceUid: string): string {
    switch (source.is) {
      case "layers":
        return `${source.remote === null ? "local" : contentOf(source.remote)}@${this.#layers}`;
      case "fallback":
        this.fault("fallback needed");
        return "fallback@0";
      case "as-it-was":
        if (source.build.instanceUid === instanceUid) this.fault("proven text needed");
        return source.build.prepared.text;
    }
  }

  /** What the composed text does to a Collector. */
  natureOf(text: string): Nature {
    const [content = "", version = "0"] = text.split("@");
    if (content === "fallback") return this.#fallback ?? "good";
    const spoil = this.#spoils.get(Number(version)) ?? "";
    if (spoil !== "") return spoil;
    return content === "local" ? this.#local : (content.replace(/-\d$/, "") as Nature);
  }

  /** What is wanted may be impossible for a reason that lies on the host, or was when what runs was composed, and nobody asked for another try since. */
  #isSpoiled(running: string | undefined): boolean {
    const composedWith = Number(running?.split("@")[1] ?? this.#layers);
    return [this.#layers, composedWith].some((version) => (this.#spoils.get(version) ?? "") !== "") || this.#local !== "good";
  }

  /** With each event and each effect of the loop. A core that is never at rest leaves the world no time to go on. */
  #turned(): void {
    this.#turns = this.agenda.now === this.#turnedAt ? this.#turns + 1 : 0;
    this.#turnedAt = this.agenda.now;
    this.oracle.check(this.#turns < TURNS_MAX, `${TURNS_MAX} turns and no time has passed`);
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  startCollector(attempt: number, build: Build, later: Later): void {
    this.oracle.check(!this.#collectors.some((one) => one.alive), "two Collectors at once");
    this.oracle.started(build.prepared.text);
    if (this.agenda.now < this.#awayUntil || (!this.quiet && this.random.chance(0.03))) {
      this.fault("spawn");
      this.oracle.rejected(build.prepared.text);
      return later(0, 5, () => this.post({ is: "collector-not-started", attempt, error: "no such file" }));
    }
    const one: Collector = { attempt, life: this.#life, content: build.prepared.text, link: 0, alive: true };
    this.#collectors = [...this.#collectors.filter((each) => each.alive), one];
    later(0, 5, () => {
      if (one.alive) this.post({ is: "collector-started", attempt, pid: attempt, startTimeUnixNano: BigInt(attempt) });
      this.comeUp(one, later);
    });
  }

  reloadCollector(attempt: number, build: Build, later: Later): void {
    this.oracle.started(build.prepared.text);
    const one = this.#collectors.find((each) => each.alive && each.attempt === attempt);
    if (one === undefined) return this.post({ is: "collector-not-reloaded", attempt, error: "no process" });
    one.content = build.prepared.text;
    this.post({ is: "collector-reloaded", attempt });
    // What the old link still has to say arrives late.
    const { link } = one;
    later(0, 300, () => this.say(one, "healthy", link));
    this.comeUp(one, later);
  }

  /** The extension connects and tells what this configuration is like. */
  comeUp(one: Collector, later: Later): void {
    const { content } = one;
    const nature = this.natureOf(content);
    const slow = nature === "slow" ? 20_000 : 100;
    const still = (run: () => void) => (): void => {
      if (one.alive && one.content === content) run();
    };
    const crashes = nature === "crashes" || (!this.quiet && this.agenda.now < this.#occupiedUntil);
    if (crashes) return later(1, 400, still(() => this.end(one, 1, "own")));
    later(1, 100, still(() => {
      one.link = ++this.#links;
      this.post({ is: "collector-connected", attempt: one.attempt, link: one.link });
    }));
    if (nature === "silent" || nature === "sick") this.oracle.hasReason(content);
    if (nature === "silent") return;
    later(101, 200, still(() => this.say(one, "starting", one.link)));
    const verdict = nature === "sick" ? "unhealthy" : "healthy";
    later(201, 300 + slow, still(() => {
      if (verdict === "healthy") this.oracle.healthy(content);
      this.say(one, verdict, one.link);
      if (nature === "dies-soon") later(4_000, 6_000, still(() => this.end(one, 2, "own")));
      if (nature === "dies-late") later(45_000, 55_000, still(() => this.end(one, 2, "own")));
      if (nature === "falls-ill") later(3_000, 9_000, still(() => this.say(one, "unhealthy", one.link)));
      if (nature === "flips") this.flip(one, true, later, still);
    }));
  }

  flip(one: Collector, isHealthy: boolean, later: Later, still: (run: () => void) => () => void): void {
    later(1_000, 4_000, still(() => {
      if (isHealthy) this.oracle.rejected(one.content);
      else this.oracle.healthy(one.content);
      this.say(one, isHealthy ? "unhealthy" : "healthy", one.link);
      this.flip(one, !isHealthy, later, still);
    }));
  }

  say(one: Collector, verdict: Verdict, link: number): void {
    if (!one.alive || link === 0) return;
    const health = { healthy: verdict === "healthy", status: verdict } as ComponentHealth;
    this.post({ is: "collector-health", attempt: one.attempt, link, verdict, error: verdict === "unhealthy" ? "sick" : "", health });
  }

  stopCollector(attempt: number): void {
    const one = this.#collectors.find((each) => each.alive && each.attempt === attempt);
    if (one === undefined) return;
    one.alive = false;
    this.oracle.ended();
    this.lastWords(one);
    this.post({ is: "collector-exited", attempt, exit: { code: 0, signal: null, memoryKill: "none", tail: "" } });
  }

  /** What a process said before its end may arrive long after it, when the next one runs already. */
  lastWords(one: Collector): void {
    const { attempt, link } = one;
    const life = this.#life;
    if (link === 0 || this.random.chance(0.5)) return;
    const health = { healthy: true, status: "healthy" } as ComponentHealth;
    this.agenda.at(this.random.between(0, 400), () => {
      if (life === this.#life) this.post({ is: "collector-health", attempt, link, verdict: "healthy", error: "", health });
    });
  }

  end(one: Collector, code: number, because: string): void {
    one.alive = false;
    this.#endedAt = this.agenda.now;
    this.note(`collector #${one.attempt} ends: ${because}`);
    this.oracle.rejected(one.content);
    const { attempt } = one;
    this.lastWords(one);
    if (because === "own") this.oracle.crashed();
    this.post({ is: "collector-exited", attempt, exit: { code, signal: null, memoryKill: "none", tail: "" } });
  }

  note(line: string): void {
    this.trace.push(`${Math.round(this.agenda.now)} ${line}`);
  }
}

type Later = (low: number, high: number, run: () => void) => void;

export function contentOf(config: RemoteConfig): string {
  return new TextDecoder().decode(config.files[0]?.body);
}

/** Lets the loop run until it waits for the world. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
