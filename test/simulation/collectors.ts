/**
 * The Collectors of the simulated host: what each process really runs, whether it really was healthy, and what it says of
 * itself, also too late.
 */
import type { Event } from "../../src/core/event.js";
import type { Build, ComponentHealth, Verdict } from "../../src/core/values.js";
import type { Agenda } from "./agenda.js";
import type { Oracle } from "./oracle.js";
import type { Random } from "./random.js";

/** What a configuration does to a Collector. An offer's content is named after it; a composed text is `content@version of the local files`. */
export type Nature = "good" | "refused" | "crashes" | "silent" | "sick" | "slow" | "nothing" | "dies-soon" | "dies-late" | "flips" | "falls-ill" | "deadly";

export const NATURES: readonly [Nature, ...Nature[]] = [
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
  "deadly",
  "deadly",
];

interface Collector {
  readonly attempt: number;
  content: string;
  link: number;
  alive: boolean;
}

/** What of the world the Collectors need. */
export interface Surroundings {
  readonly random: Random;
  readonly agenda: Agenda;
  readonly oracle: Oracle;
  /** Nothing is disturbed any more. */
  readonly quiet: boolean;
  /** What the composed text does to a Collector. */
  natureOf(text: string): Nature;
  /** The executable is away. */
  isAway(): boolean;
  /** Another program holds a port that this text needs. */
  isOccupied(text: string): boolean;
  post(event: Event): void;
  note(line: string): void;
  fault(kind: string): void;
  /** The supervisor is killed. */
  die(): void;
  /** For this life of the supervisor only. */
  later(low: number, high: number, run: () => void): void;
}

export class Collectors {
  readonly #world: Surroundings;
  #all: Collector[] = [];
  #links = 0;
  #endedAt = -Infinity;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** The texts that run. */
  get running(): readonly string[] {
    return this.#all.filter((one) => one.alive).map((one) => one.content);
  }

  /** The text that runs, or ran until now: news of an end may lie in the mailbox while the loop saves. Null: none. */
  get ran(): string | null {
    const { agenda } = this.#world;
    const one = this.#all.find((each) => each.alive) ?? (agenda.now - this.#endedAt <= 10 ? this.#all.at(-1) : undefined);
    return one?.content ?? null;
  }

  /** They go with their supervisor (or are ended by its next life). */
  die(): void {
    for (const one of this.#all) one.alive = false;
    this.#world.oracle.ended();
  }

  crash(): void {
    for (const one of this.#all.filter((each) => each.alive)) this.#end(one, 2, "crash");
  }

  start(attempt: number, build: Build): void {
    this.#world.oracle.check(!this.#all.some((one) => one.alive), "two Collectors at once");
    this.#world.oracle.started(build.prepared.text);
    if (this.#world.isAway() || (!this.#world.quiet && this.#world.random.chance(0.03))) {
      this.#world.fault("spawn");
      this.#world.oracle.rejected(build.prepared.text);
      return this.#world.later(0, 5, () => this.#world.post({ is: "collector-not-started", attempt, error: "no such file" }));
    }
    const one: Collector = { attempt, content: build.prepared.text, link: 0, alive: true };
    this.#all = [...this.#all.filter((each) => each.alive), one];
    this.#world.later(0, 5, () => {
      if (one.alive) this.#world.post({ is: "collector-started", attempt, pid: attempt, startTimeUnixNano: BigInt(attempt) });
      this.#comeUp(one);
    });
  }

  reload(attempt: number, build: Build): void {
    this.#world.oracle.started(build.prepared.text);
    const one = this.#all.find((each) => each.alive && each.attempt === attempt);
    if (one === undefined) return this.#world.post({ is: "collector-not-reloaded", attempt, error: "no process" });
    if (!this.#world.quiet && this.#world.random.chance(0.2)) {
      this.#world.fault("reload failed");
      this.#world.oracle.rejected(build.prepared.text);
      // What runs then nobody knows: here the old one goes on.
      return this.#world.post({ is: "collector-not-reloaded", attempt, error: "no room" });
    }
    one.content = build.prepared.text;
    this.#world.post({ is: "collector-reloaded", attempt });
    // What the old link still has to say arrives late.
    const { link } = one;
    this.#world.later(0, 300, () => this.#say(one, "healthy", link));
    this.#comeUp(one);
  }

  /** The extension connects and tells what this configuration is like. */
  #comeUp(one: Collector): void {
    const { content } = one;
    const nature = this.#world.natureOf(content);
    const slow = nature === "slow" ? 20_000 : 100;
    if (nature === "slow") this.#world.fault("slow start");
    const still = (run: () => void) => (): void => {
      if (one.alive && one.content === content) run();
    };
    const crashes = nature === "crashes" || (!this.#world.quiet && this.#world.isOccupied(content));
    if (crashes) return this.#world.later(1, 400, still(() => this.#end(one, 1, "own")));
    this.#world.later(1, 100, still(() => {
      one.link = ++this.#links;
      this.#world.post({ is: "collector-connected", attempt: one.attempt, link: one.link });
    }));
    if (nature === "silent" || nature === "sick") this.#world.oracle.hasReason(content);
    if (nature === "silent") return;
    this.#world.later(101, 200, still(() => this.#say(one, "starting", one.link)));
    const verdict = nature === "sick" ? "unhealthy" : "healthy";
    this.#world.later(201, 300 + slow, still(() => {
      if (verdict === "healthy") this.#world.oracle.healthy(content);
      this.#say(one, verdict, one.link);
      if (nature === "dies-soon") this.#world.later(4_000, 6_000, still(() => this.#end(one, 2, "own")));
      if (nature === "dies-late") this.#world.later(45_000, 55_000, still(() => this.#end(one, 2, "own")));
      if (nature === "falls-ill") this.#world.later(3_000, 9_000, still(() => this.#say(one, "unhealthy", one.link)));
      if (nature === "deadly") this.#world.later(2_000, 20_000, still(() => this.#kill()));
      if (nature === "flips") this.#flip(one, true, still);
    }));
  }

  /** It takes the supervisor with it, as one does that eats the memory of the host. */
  #kill(): void {
    this.#world.fault("deadly");
    this.#world.die();
  }

  #flip(one: Collector, isHealthy: boolean, still: (run: () => void) => () => void): void {
    this.#world.later(1_000, 4_000, still(() => {
      this.#world.fault("health lost or found");
      if (isHealthy) this.#world.oracle.rejected(one.content);
      else this.#world.oracle.healthy(one.content);
      this.#say(one, isHealthy ? "unhealthy" : "healthy", one.link);
      this.#flip(one, !isHealthy, still);
    }));
  }

  #say(one: Collector, verdict: Verdict, link: number): void {
    if (!one.alive || link === 0) return;
    const health = { healthy: verdict === "healthy", status: verdict } as ComponentHealth;
    this.#world.post({ is: "collector-health", attempt: one.attempt, link, verdict, error: verdict === "unhealthy" ? "sick" : "", health });
  }

  stop(attempt: number): void {
    const one = this.#all.find((each) => each.alive && each.attempt === attempt);
    if (one === undefined) return;
    one.alive = false;
    this.#world.oracle.ended();
    this.#lastWords(one);
    this.#world.post({ is: "collector-exited", attempt, exit: { code: 0, signal: null, memoryKill: "none", tail: "" } });
  }

  /** What a process said before its end may arrive long after it, when the next one runs already. */
  #lastWords(one: Collector): void {
    const { attempt, link } = one;
    if (link === 0 || this.#world.random.chance(0.5)) return;
    const health = { healthy: true, status: "healthy" } as ComponentHealth;
    this.#world.later(0, 400, () => {
      this.#world.fault("late words");
      this.#world.post({ is: "collector-health", attempt, link, verdict: "healthy", error: "", health });
    });
  }

  #end(one: Collector, code: number, because: string): void {
    one.alive = false;
    this.#endedAt = this.#world.agenda.now;
    this.#world.note(`collector #${one.attempt} ends: ${because}`);
    this.#world.oracle.rejected(one.content);
    const { attempt } = one;
    this.#lastWords(one);
    if (because === "own") this.#world.fault("crash of its own");
    if (because === "own") this.#world.oracle.crashed();
    this.#world.post({ is: "collector-exited", attempt, exit: { code, signal: null, memoryKill: "none", tail: "" } });
  }
}
