/** A host whose supervisor is killed at random moments while its configuration changes, and started again each time. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { expect } from "vitest";
import { systemClock } from "../../../src/lib/clock.js";
import type { Random } from "../../simulation/random.js";
import { oneFile, startTestServer, type TestServer } from "../../support/opamp-server.js";
import { change, marksIn, marksOf, type Kind, type Ports } from "./changes.js";
import { QUIET_YAML, supervisorYaml } from "./configs.js";
import { Host, type Program } from "./host.js";
import { isFinal, Judge, type Course, type Probation, type Seen, type Sent } from "./kill-judge.js";
import type { KillTally } from "./kill-tally.js";
import { SeenAgent } from "./seen-agent.js";

export interface KilledHostOptions {
  readonly executable: { path: string } | { script: string };
  readonly probation: Probation;
  readonly random: Random;
  readonly tally: KillTally;
}

/** A kill comes within so many times of what the thing takes on this machine, so that none of its phases is beyond reach. */
const REACH = 1.25;
const REST_MS_MAX = 25_000;
/** How often it is killed once more, how often two offers follow each other, and how often a short probation is waited for. */
const AGAIN = 0.35;
const TWICE = 0.2;
const PATIENCE = 0.4;

const durations: Readonly<Record<Probation, string>> = { none: "0s", short: "2s", long: "60s" };

const kinds: readonly [Kind, ...Kind[]] = ["good", "good", "good", "good", "refused", "refused", "crashing", "crashing", "empty"];
/** An empty one is good at once, so nobody could tell whether it came to that before the next one took its place. */
const first: readonly [Kind, ...Kind[]] = ["good", "refused", "crashing"];

export class KilledHost {
  readonly #host: Host;
  readonly #agent = new SeenAgent();
  readonly #judge: Judge;
  /** For the person who looks at a failed test. */
  readonly #story: string[] = [];
  readonly #options: KilledHostOptions;
  readonly #server: TestServer;
  readonly #holder: Server;
  readonly #ports: Ports;
  #program: Program | null = null;
  /** What a start and a change take here. */
  #startMs = 0;
  #changeMs = 0;
  #kills = 0;
  /** The messages of the newest life do not begin before this one. */
  #mark = 0;

  static async create(options: KilledHostOptions): Promise<KilledHost> {
    const host = await Host.create(options.executable);
    const server = await startTestServer();
    const holder = await listening();
    const free = await listening();
    const ports = { free: portOf(free), taken: portOf(holder) };
    free.close();
    await once(free, "close");
    await host.write("quiet.yaml", QUIET_YAML);
    return new KilledHost(host, server, holder, ports, options);
  }

  private constructor(host: Host, server: TestServer, holder: Server, ports: Ports, options: KilledHostOptions) {
    this.#host = host;
    this.#server = server;
    this.#holder = holder;
    this.#ports = ports;
    this.#options = options;
    this.#judge = new Judge(options.probation);
    server.fleet.on((news) => {
      if (news.is === "received") this.#agent.take(news.uid, news.message);
    });
  }

  /** Goes from change to change until the supervisor was killed so often. */
  async run(kills: number): Promise<void> {
    await this.#begin();
    while (this.#kills < kills) await this.#course(kills);
    this.#judge.judgeStatuses(this.#agent);
  }

  /** What was done, in order, and all that the supervisors said. */
  diagnosis(): string {
    return `${this.#story.join("\n")}\n${this.#host.diagnosis()}`;
  }

  async remove(): Promise<void> {
    await this.#server.close();
    this.#holder.close();
    await this.#host.remove();
  }

  /** A host that has been in use: one configuration has proven itself. */
  async #begin(): Promise<void> {
    await this.#settings("none");
    const startedAt = systemClock.now();
    this.#start();
    await this.#server.until(() => this.#agent.healthy, "the first start");
    const sentAt = systemClock.now();
    const newest = await this.#send("good");
    await this.#rest({ newest, superseded: null, kills: 0 });
    this.#startMs = Math.ceil(sentAt - startedAt);
    this.#changeMs = Math.ceil(systemClock.now() - sentAt);
    expect(await this.#running().end("SIGTERM")).toEqual({ code: 0, signal: null });
    await this.#settings(this.#options.probation);
    this.#start();
    await this.#rest({ newest, superseded: null, kills: 0 });
  }

  #settings(probation: Probation): Promise<void> {
    return this.#host.write("supervisor.yaml", supervisorYaml({ endpoint: this.#server.webSocketUrl, agent: [`config_probation: ${durations[probation]}`] }));
  }

  async #course(killsMax: number): Promise<void> {
    const { random, tally } = this.#options;
    const killsBefore = this.#kills;
    const killed = [{ program: this.#running(), from: this.#running().output.length }];
    const superseded = random.chance(TWICE) ? await this.#send(random.pick(first)) : null;
    if (superseded !== null) await this.#passes(random.between(0, this.#changeMs));
    const newest = await this.#send();
    if (superseded !== null) this.#judge.superseded.add(superseded);
    await this.#passes(random.between(0, Math.ceil(REACH * this.#changeMs)));
    await this.#kill();
    this.#start();
    while (this.#kills < killsMax && random.chance(AGAIN)) {
      killed.push({ program: this.#running(), from: 0 });
      await this.#passes(random.between(0, Math.ceil(REACH * (this.#startMs + this.#changeMs))));
      await this.#kill();
      this.#start();
    }
    await this.#rest({ superseded, newest, kills: this.#kills - killsBefore });
    tally.course(newest.kind, superseded !== null, this.#agent.status);
    for (const { program, from } of killed) tally.kill(program.output.slice(from), from === 0);
    if (this.#options.probation === "short" && random.chance(PATIENCE)) await this.#good();
  }

  async #send(kind = this.#options.random.pick(kinds)): Promise<Sent> {
    const { sent } = this.#judge;
    const made = change(kind, `${kind}${sent.length + 1}`, this.#ports);
    const { offer } = await this.#server.fleet.saveConfig(this.#agent.uid, oneFile(made.body));
    const one = { ...made, hash: Buffer.from(offer?.config.hash ?? []).toString("hex") };
    sent.push(one);
    this.#story.push(`${one.name} (${one.hash.slice(0, 12)}) is offered`);
    return one;
  }

  async #passes(ms: number): Promise<void> {
    this.#story.push(`${ms} ms pass`);
    await systemClock.sleep(ms);
  }

  async #kill(): Promise<void> {
    expect(await this.#running().end("SIGKILL"), "the end of a killed supervisor").toEqual({ code: null, signal: "SIGKILL" });
    this.#kills++;
    this.#story.push("the supervisor is killed and started again");
  }

  #start(): void {
    this.#mark = this.#agent.messages.length;
    this.#program = this.#host.start();
  }

  #running(): Program {
    if (this.#program === null) throw new Error("no supervisor was started");
    return this.#program;
  }

  /** Waits until nothing is left to be done, and judges what has come of it. */
  async #rest(course: Course): Promise<void> {
    const knows = (): string => `the server knows ${this.#agent.summary()}`;
    await this.#until(() => this.#isAtRest(course.newest), () => `rest after ${course.newest.name}; ${knows()}`);
    const seen: Seen = { agent: this.#agent, rollout: this.#rollout(), exhausted: await this.#exhausted() };
    const mayRun = this.#judge.mayRun(course, seen);
    const shown = (): Sent | null | undefined => mayRun.find((one) => sameMarks(marksIn(this.#agent.effectiveConfig), marksOf(one)));
    const names = mayRun.map((one) => one?.name ?? "the local one").join(" or ");
    await this.#until(() => shown() !== undefined, () => `${names} to run after ${course.newest.name}; shown are ${marksIn(this.#agent.effectiveConfig).join()}; ${knows()}`);
    const running = shown() ?? null;
    await this.#judgeHost(running);
    this.#judge.rests(running, seen);
    this.#story.push(`at rest: ${running?.name ?? "the local one"} runs, ${this.#agent.status.is}, ${seen.rollout}`);
  }

  async #good(): Promise<void> {
    await this.#until(() => this.#rollout() === "idle", () => "the end of probation");
    this.#judge.isGood();
  }

  async #judgeHost(running: Sent | null): Promise<void> {
    const collectors = await this.#host.collectors();
    expect(collectors, "Collectors").toHaveLength(running?.kind === "empty" ? 0 : 1);
    for (const pid of collectors) expect(await parentOf(pid), "the parent of the Collector").toBe(this.#running().pid);
    if (running?.kind !== "empty") expect(marksIn(await this.#host.read("storage/effective.yaml"))).toEqual(marksOf(running));
    expect(this.#agent.uids, "identities").toHaveLength(1);
  }

  #isAtRest(newest: Sent): boolean {
    const { health, messages, status } = this.#agent;
    const first = messages.findLastIndex(({ sequenceNum }) => sequenceNum === 0n);
    // What an earlier life told of its configuration says nothing of this one.
    const isHeard = first >= this.#mark && messages.slice(first).some(({ effectiveConfig }) => effectiveConfig !== undefined);
    if (!isHeard || status.hash !== newest.hash || !isFinal(status)) return false;
    return health?.healthy === true && ["idle", "on probation"].includes(this.#rollout());
  }

  #rollout(): string {
    return this.#agent.health?.componentHealthMap["supervisor"]?.componentHealthMap["rollout"]?.status ?? "";
  }

  /** What the storage remembers as given up. */
  async #exhausted(): Promise<readonly string[]> {
    const state = JSON.parse(await this.#host.read("storage/opampsupervisor_state.json")) as { failures: { isDeadly: boolean; hash: string }[] };
    return state.failures.filter(({ isDeadly }) => isDeadly).map(({ hash }) => hash);
  }

  async #until(holds: () => boolean, what: () => string): Promise<void> {
    try {
      await this.#server.until(holds, "it", REST_MS_MAX);
    } catch (error) {
      const collectors = (await this.#host.collectors()).join();
      throw new Error(`waited in vain for ${what()}; the Collectors are ${collectors}, the supervisor ${this.#running().pid}`, { cause: error });
    }
  }
}

function sameMarks(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((mark, index) => mark === other[index]);
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.2");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}
