/**
 * A host whose supervisor dies at chosen steps, life after life: what a life comes to rest with is where the next course
 * begins. Between a start and the next course the hook is silent, so that each life begins as it would without it.
 */
import { readdir } from "node:fs/promises";
import { expect, onTestFinished } from "vitest";
import { nopPipeline } from "../../e2e/support/configs.js";
import { Host } from "../../e2e/support/host.js";
import { Stage } from "../../e2e/support/stage.js";
import type { SupervisorProcess } from "../../e2e/support/supervisor-process.js";
import { RemoteConfigStatuses } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { isGoodName } from "../../../src/storage/names.js";
import { startTestServer } from "../../support/opamp-server.js";
import type { Course, Goal } from "./courses.js";
import { Disk, restore } from "./disk.js";
import type { Point } from "./points.js";
import { StepGate } from "./step-gate.js";
import { plainName, wordsOf, type Leave, type Step } from "./step.js";

/** Long enough to die in, short enough to wait for. */
export const PROBATION = "200ms";
/** Longer than anybody waits. */
export const LONG_PROBATION = "1h";
/** A Collector that the kernel does not end with its supervisor, as on a host without setpriv. */
const SURVIVOR = `#!/bin/sh
if setpriv --pdeathsig clear -- true 2>/dev/null; then exec setpriv --pdeathsig clear -- ./otelcol "$@"; fi
exec ./otelcol "$@"
`;
/** Several hosts share the machine with other tests. */
const REST_MS_MAX = 30_000;
/** Steps at which the Collector runs and its record is not in place yet. */
const UNRECORDED = /^(before|after) (create|write) \.collector\.pid\.json\.tmp|^before rename \.collector\.pid\.json\.tmp/;
/** What an error of the supervisor may be about: the configuration that was sent. */
const DESERVED_ERRORS = ["Collector ended unasked", "Remote configuration failed", "Remote configuration refused"];
const STATUS_NUMBERS = {
  applied: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  failed: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
} as const;

type Rest = "idle" | "on probation";

/** What was true when the supervisor died. */
export interface Death {
  readonly collectors: readonly number[];
  readonly leftovers: readonly string[];
  readonly told: Stage["agent"]["status"];
  /** How many messages the server had got until then. */
  readonly messages: number;
}

export class SweptHost {
  readonly stage: Stage;
  readonly gate: StepGate;
  supervisor: SupervisorProcess;
  /** Where the last course had to lead. */
  goal: Goal;
  #courses = 0;
  /** What is known of the disk since the first step of the course. */
  #disk: Disk | null = null;
  /** How many identities the server had seen when the course began. */
  #uids = 1;

  /** With a configuration that is good. To be called inside a test. */
  static async create(): Promise<SweptHost> {
    const server = await startTestServer();
    onTestFinished(() => server.close());
    const host = await Host.create();
    onTestFinished(() => host.remove());
    const gate = await StepGate.open(host.storage);
    onTestFinished(() => gate.close());
    const stage = new Stage(host, server, "websocket");
    await host.write("survivor", SURVIVOR, 0o755);
    await stage.settings({ agent: { executable: "./survivor", config_probation: PROBATION } });
    const supervisor = await stage.up({ env: gate.env });
    const hash = await stage.apply(nopPipeline("first"));
    const swept = new SweptHost(stage, gate, supervisor, { hash, is: "applied", runs: "nop/first:", uid: stage.agent.uid });
    await swept.atRest();
    return swept;
  }

  private constructor(stage: Stage, gate: StepGate, supervisor: SupervisorProcess, goal: Goal) {
    this.stage = stage;
    this.gate = gate;
    this.supervisor = supervisor;
    this.goal = goal;
  }

  /** A course that nobody disturbs. `onStep` is called while the program stands still. */
  async record(course: Course, onStep: (step: Step, disk: Disk) => void, rest?: Rest): Promise<void> {
    let strangers: readonly string[] = [];
    await this.begin(course, (step, disk) => {
      strangers = disk.strangers();
      onStep(step, disk);
      return "go";
    });
    await this.atRest(rest);
    await this.gate.disarm();
    expect(strangers, "names that came or went without the hook").toEqual([]);
  }

  /** Rejects with what is wrong after the death. False: the course went by without that step, so it died at rest. */
  async dieAt({ course, loss, skip, step: wanted }: Point, atRest?: Rest): Promise<boolean> {
    let left = skip;
    let hold: () => void = () => undefined;
    const held = new Promise<true>((resolve) => (hold = () => resolve(true)));
    await this.begin(course, (step) => {
      if (wordsOf(step) !== wanted || left-- > 0) return "go";
      hold();
      return "hold";
    });
    const rest = this.atRest(atRest).then(() => false);
    const isHeld = await Promise.race([held, rest]);
    rest.catch(() => undefined);
    const death = await this.kill();
    if (loss !== null && this.#disk !== null) await restore(this.stage.host.storage, this.#disk.after(loss));
    // A power loss ends everything. Between the spawn and its record, nobody but the kernel knows of the Collector.
    if (loss !== null || UNRECORDED.test(wanted)) this.endCollectors(death);
    await this.liveAgain(atRest);
    await this.#check(death);
    return isHeld;
  }

  /** The server acts. Every step that follows from it is announced. */
  async begin(course: Course, onStep: (step: Step, disk: Disk) => Leave | "hold"): Promise<void> {
    this.#disk = null;
    this.gate.onStep = (step) => {
      this.#disk ??= new Disk(this.stage.host.storage);
      this.#disk.note(step);
      return onStep(step, this.#disk);
    };
    await this.gate.arm();
    await this.act(course);
  }

  /** The server acts, and nobody listens. */
  async act(course: Course): Promise<void> {
    this.#uids = this.stage.agent.uids.length;
    this.goal = await course.begin(this.stage, this.goal, ++this.#courses);
  }

  /**
   * The server knows that the course has ended as it should, and that nothing more is on its way.
   * @param rollout "on probation" where one is longer than anybody waits
   */
  async atRest(rollout: Rest = "idle"): Promise<void> {
    const { agent } = this.stage;
    const { hash, is, runs, uid } = this.goal;
    const isAtRest = (): boolean => agent.health?.componentHealthMap["supervisor"]?.componentHealthMap["rollout"]?.status === rollout;
    const isThere = (): boolean => {
      const { effectiveConfig: text, status } = agent;
      return status.hash === hash && status.is === is && agent.uid === uid && agent.healthy && isAtRest() && text.includes(runs) && text.includes(uid);
    };
    await this.stage.until(`rest (${rollout}) with ${is} ${hash.slice(0, 8)}, ${runs} and uid ${uid}`, isThere, REST_MS_MAX);
  }

  /** What the last life printed, for a person. */
  diagnosis(): string {
    return `${this.supervisor.stdout}${this.supervisor.stderr}`.replaceAll(/\\nCollector log tail:.*?(?=","|"})/g, "");
  }

  async kill(): Promise<Death> {
    const { agent, host, server } = this.stage;
    const before = await host.collectors();
    expect(await this.supervisor.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    await this.gate.disarm();
    // What it had sent before has arrived then.
    await this.stage.until("the server to notice", () => server.fleet.agents().every(({ gone }) => gone !== null));
    // One whose command was just being executed has shown no name before.
    const collectors = [...new Set([...before, ...(await host.collectors())])];
    return { collectors, leftovers: (await readdir(host.storage)).filter(isTemporary), told: agent.status, messages: agent.messages.length };
  }

  endCollectors({ collectors }: Death): void {
    for (const pid of collectors) endIfThere(pid);
  }

  /** Other settings for the lives from the next one on, which begins here. */
  async liveWith(agent: Readonly<Record<string, unknown>>): Promise<void> {
    await this.kill();
    await this.stage.settings({ agent: { executable: "./survivor", config_probation: PROBATION, ...agent } });
    await this.liveAgain();
  }

  /** The next life, until it is at rest. */
  async liveAgain(rollout?: Rest): Promise<void> {
    const { agent, host } = this.stage;
    // The first message tells everything, so what was known before must not count.
    agent.health = null;
    agent.effectiveConfig = "";
    this.supervisor = host.start({ env: this.gate.env });
    await this.atRest(rollout);
  }

  /** What must be true in every life after a death. */
  async #check(death: Death): Promise<void> {
    const { agent, host } = this.stage;
    const { hash, is, runs, uid } = this.goal;
    const collectors = await host.collectors();
    expect(collectors, "Collectors").toHaveLength(1);
    expect(death.collectors, "Collectors of the life before").not.toContain(collectors[0]);

    expect(agent.uids.slice(this.#uids - 1), "identities").toEqual([...new Set([agent.uids[this.#uids - 1], uid])]);
    expect(agent.courseOf(hash).filter((status) => status !== "applying"), "final statuses").toEqual([is]);
    const [first] = agent.messages.slice(death.messages).flatMap(({ remoteConfigStatus }) => remoteConfigStatus ?? []);
    // What was told before is remembered: a status leaves only after the state behind it is on disk.
    if (death.told.hash === hash) expect(first && Buffer.from(first.lastRemoteConfigHash).toString("hex"), "first hash").toBe(hash);
    if (death.told.hash === hash && death.told.is === is) expect(first?.status, "first status").toBe(STATUS_NUMBERS[is]);

    const names = await readdir(host.storage);
    expect(names.filter((name) => name.includes(".damaged-")), "damaged files").toEqual([]);
    expect(names.filter((name) => death.leftovers.includes(name)), "leftover files").toEqual([]);
    expect(names.filter(isGoodName).length, "texts that are good").toBeLessThanOrEqual(1);
    expect(this.supervisor.log.filter(({ level, msg }) => level === "error" && !DESERVED_ERRORS.includes(msg)), "errors").toEqual([]);
    expect(await host.read("storage/effective.yaml")).toContain(runs);
    expect(await host.read("storage/persistent_state.yaml")).toContain(`instance_id: ${uid}`);
  }
}

function isTemporary(name: string): boolean {
  return plainName(name) !== name && !isGoodName(name);
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with its supervisor.
  }
}
