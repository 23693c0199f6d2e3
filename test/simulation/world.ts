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
import type { ExecutableFacts, RemoteConfig } from "../../src/core/values.js";
import { silentLogger } from "../../src/lib/log.js";
import { Mailbox } from "../../src/lib/mailbox.js";
import { Supervisor } from "../../src/supervisor.js";
import { answerOf, emptyMemory, offerOf, testFacts, testPolicy } from "../support/story.js";
import { Agenda } from "./agenda.js";
import { Collectors, NATURES, type Nature } from "./collectors.js";
import { Oracle } from "./oracle.js";
import { Random } from "./random.js";

type Spoil = "" | "refused" | "crashes" | "silent" | "sick";

const TURNS_MAX = 1_000;

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
  readonly #collectors: Collectors;
  #connected = false;
  #told: Report | null = null;
  #offers: RemoteConfig[] = [];
  #hashes = 0;
  #diskFullUntil = 0;
  /** There is room for all but another configuration. */
  #diskScarceUntil = 0;
  /** Another program holds a port that every configuration needs, or every one but those that the host has of its own. */
  #occupiedUntil = 0;
  #isOwnFree = false;
  /** The version of the local files, and what each of them does to every configuration that it takes part in. */
  #layers = 0;
  #readLayers = 0;
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
    this.#collectors = new Collectors(this);
    this.#local = this.random.chance(0.9) ? "good" : this.random.pick(["refused", "crashes"]);
    this.#fallback = this.random.chance(0.5) ? null : this.random.pick(["good", "good", "good", "refused", "crashes"]);
  }

  /** Lets the disturbed time pass, then the quiet one, then shuts down. */
  async run(): Promise<void> {
    this.boot();
    const end = this.random.between(2_000, this.random.chance(0.4) ? 400_000 : 90_000);
    const disturbances = this.random.between(2, 18);
    for (let i = 0; i < disturbances; i++) this.agenda.at(this.random.next() * end, () => this.disturb());
    await this.until(end);
    this.quiet = true;
    this.#diskFullUntil = 0;
    this.#diskScarceUntil = 0;
    this.#awayUntil = 0;
    if (!this.#connected) this.connect();
    await this.until(end + 1_200_000);
    const { running } = this.#collectors;
    this.oracle.atRest(running, { isSpoiled: this.#isSpoiled(running[0]), proven: this.#disk.proven?.text ?? null });
    this.post({ is: "shutdown-requested", because: "end of the simulation" });
    await this.until(this.agenda.now + 60_000);
    this.oracle.check(this.finished, "shutdown does not end");
    this.oracle.check(this.#collectors.running.length === 0, "a Collector outlives the shutdown");
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
    const kind = this.random.pick(["offer", "offer", "offer", "repeat", "burst", "death", "disconnect", "crash", "diskfull", "restart", "identity", "occupied", "layers", "layers", "retry", "executable", "away"]);
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
        return this.#collectors.crash();
      case "diskfull":
        if (this.random.chance(0.5)) this.#diskFullUntil = this.agenda.now + this.random.between(10, 20_000);
        else this.#diskScarceUntil = this.agenda.now + this.random.between(10, 90_000);
        return;
      case "occupied":
        this.#occupiedUntil = this.agenda.now + this.random.between(10, 60_000);
        this.#isOwnFree = this.random.chance(0.6);
        // What runs has the port already, unless it ends.
        return this.random.chance(0.8) ? this.#collectors.crash() : undefined;
      case "layers":
        // Read at the next composition.
        this.oracle.forgiven();
        this.#spoils.set(++this.#layers, this.random.pick(["", "", "", "refused", "crashes", "silent", "sick"]));
        return this.oracle.hostIs({ executable: this.#executable, layers: this.#layers });
      case "executable":
        // Replaced on the host: noticed at the next preparation, or the next start of the supervisor.
        this.#executable++;
        return this.oracle.hostIs({ executable: this.#executable, layers: this.#layers });
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
    // Some servers hash nothing but the content.
    return offerOf(content, this.random.chance(0.2) ? `h-${content}` : `h${++this.#hashes}-${content}`);
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
  die(isSaving = false): void {
    if (this.#dead) return;
    this.#dead = true;
    this.oracle.died(isSaving);
    this.#life++;
    this.#collectors.die();
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
    if (life !== this.#life || this.#diesInSave()) return new Promise(() => undefined);
    const isOther = memory.lastReceived !== null && memory.lastReceived !== this.#disk.lastReceived;
    const isTooLarge = isOther && this.agenda.now < this.#diskScarceUntil;
    if (isTooLarge || this.agenda.now < this.#diskFullUntil) {
      this.oracle.saveFailed();
      this.fault(isTooLarge ? "offer too large" : "save failed");
      throw new Error("no space left on device");
    }
    this.note(`  saved ${memory.status?.is ?? "none"} ${memory.status?.hash ?? ""} working ${memory.lastWorking?.hash ?? "none"}`);
    this.#disk = memory;
    this.oracle.saved(memory);
    if (this.#diesInSave()) return new Promise(() => undefined);
  }

  /** Between the state on disk and what follows from it. */
  #diesInSave(): boolean {
    if (this.quiet || !this.random.chance(0.005)) return false;
    this.fault("death in a save");
    this.die(true);
    return true;
  }

  tell(report: Report): void {
    this.#told = report;
    if (this.#connected) this.deliver(report);
  }

  deliver(report: Report): void {
    const { status } = report.remoteConfig;
    this.note(`  told ${status?.is ?? "unset"} ${status?.hash ?? ""} ${report.health.healthy ? "healthy" : report.health.lastError}`);
    this.oracle.told(report, this.#collectors.ran);
  }

  perform(effect: Effect): void {
    this.note(`  ${effect.do} (${effect.because})`);
    switch (effect.do) {
      case "describe-executable":
        return this.later(1, 50, () => this.describe());
      case "prepare-config":
        this.oracle.prepares(effect.source.is === "layers" ? effect.source.remote : null);
        return this.later(1, 900, () => this.answerPreparation(effect));
      case "start-collector":
        return this.#collectors.start(effect.attempt, effect.run.build);
      case "stop-collector":
        this.stopsFor(effect.next?.prepared.text ?? "", effect.because);
        return this.later(0, 2_000, () => this.#collectors.stop(effect.attempt));
      case "reload-collector":
        return this.#collectors.reload(effect.attempt, effect.run.build);
      case "finish":
        this.finished = true;
        return;
    }
  }

  later(low: number, high: number, run: () => void): void {
    const life = this.#life;
    this.agenda.at(this.random.between(low, high), () => {
      if (life === this.#life) run();
    });
  }

  isAway(): boolean {
    return this.agenda.now < this.#awayUntil;
  }

  isOccupied(text: string): boolean {
    return this.agenda.now < this.#occupiedUntil && !(this.#isOwnFree && /^(local|fallback)@/.test(text));
  }

  stopsFor(next: string, because: string): void {
    const [text] = this.#collectors.running;
    if (text !== undefined && this.natureOf(text) === "good") this.oracle.stops(text, next, because);
  }

  describe(): void {
    if (this.isAway()) return this.post({ is: "executable-not-described", error: "no such file" });
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
    if (this.natureOf(text) === "deadly" && this.random.chance(0.3)) {
      this.fault("deadly");
      return this.die();
    }
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
        // What failed with others may be tried with these.
        if (this.#readLayers !== this.#layers) this.oracle.forgiven();
        this.#readLayers = this.#layers;
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

  note(line: string): void {
    this.trace.push(`${Math.round(this.agenda.now)} ${line}`);
  }
}

export function contentOf(config: RemoteConfig): string {
  return new TextDecoder().decode(config.files[0]?.body);
}

/** Lets the loop run until it waits for the world. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
