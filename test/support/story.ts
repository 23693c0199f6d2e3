/**
 * The real loop and core with in-memory edges and a hand-driven clock. Whatever the loop does is printed into a trace,
 * and the trace is the expectation: one line a cause (`>`), an effect, a save or a message to the server.
 */
import { begin } from "../../src/core/begin.js";
import type { ConfigSource, Effect } from "../../src/core/effect.js";
import type { Event } from "../../src/core/event.js";
import { OFFER_PAUSE_MS } from "../../src/core/limits.js";
import type { Memory, Proven } from "../../src/core/memory.js";
import type { Policy } from "../../src/core/policy.js";
import type { Report } from "../../src/core/report.js";
import type { State } from "../../src/core/state.js";
import type { Build, ComponentHealth, ExecutableFacts, Exit, RemoteConfig, RememberedFacts, Verdict } from "../../src/core/values.js";
import type { Clock } from "../../src/lib/clock.js";
import { silentLogger } from "../../src/lib/log.js";
import { Mailbox } from "../../src/lib/mailbox.js";
import { Supervisor } from "../../src/supervisor.js";

export const testPolicy: Policy = {
  capabilities: 0x3fffn,
  acceptsRemoteConfig: true,
  acceptsRestartCommand: true,
  applyTimeoutMs: 30_000,
  probationMs: 60_000,
  bootstrapTimeoutMs: 3_000,
  rollsBack: true,
  hasStartupFallback: false,
  reloadsByHup: false,
  identifyingAttributes: {},
  nonIdentifyingAttributes: {},
  heartbeatMs: 30_000,
};

export const testFacts: ExecutableFacts = {
  identity: "/otelcol:1",
  name: "otelcol",
  version: "0.149.0",
  allowsNoPipelines: true,
  resourceForm: "inline",
};

export const emptyMemory: Memory = {
  instanceUid: "01900000-0000-7000-8000-000000000001",
  lastReceived: null,
  lastWorking: null,
  status: null,
  isTriedAgain: false,
  onProbation: null,
  trials: [],
  failures: [],
  proven: null,
};

/** An offer whose hash is its content's name, so that traces read well. */
export function offerOf(name: string, hash = name): RemoteConfig {
  return { hash, files: [{ name: "", body: new TextEncoder().encode(name), contentType: "text/yaml", role: "" }] };
}

/** What was good in an earlier life. */
export function provenOf(name: string, options: Partial<Proven> = {}): Proven {
  return { digest: `digest-${name}`, executable: testFacts.identity, text: name, instanceUid: emptyMemory.instanceUid, remoteHash: name, ...options };
}

export const APPLIED_A = { is: "applied", hash: "A", error: "" } as const;

/** A is what runs and what is good. */
export const GOOD_A = { lastReceived: offerOf("A"), lastWorking: offerOf("A"), status: APPLIED_A, proven: provenOf("A") } satisfies Partial<Memory>;

/** What the compose edge would answer to a preparation from that source. */
export function answerOf(source: ConfigSource, options: { runs?: boolean; instanceUid?: string; digest?: string } = {}): Build {
  switch (source.is) {
    case "layers":
      return buildOf(source.remote, options);
    case "fallback":
      return withText(buildOf(null, { digest: "digest-fallback", ...options }), "fallback", null);
    case "as-it-was": {
      const { prepared, remote } = source.build;
      return { ...source.build, prepared: { ...prepared, ...options }, remote, instanceUid: options.instanceUid ?? source.build.instanceUid };
    }
  }
}

function withText(build: Build, text: string, remoteHash: string | null): Build {
  return { ...build, prepared: { ...build.prepared, text, remoteHash } };
}

/** What the compose edge would answer: the digest is the content's name. */
export function buildOf(remote: RemoteConfig | null, options: { runs?: boolean; instanceUid?: string; digest?: string } = {}): Build {
  const content = remote === null ? "local" : new TextDecoder().decode(remote.files[0]?.body);
  return {
    prepared: { digest: options.digest ?? `digest-${content}`, text: content, runs: options.runs ?? true, remoteHash: remote?.hash ?? null },
    remote,
    instanceUid: options.instanceUid ?? emptyMemory.instanceUid,
  };
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export interface StoryOptions {
  readonly policy?: Partial<Policy>;
  readonly memory?: Partial<Memory>;
  readonly remembered?: RememberedFacts | null;
  /** Rejects saves while it returns a text. */
  readonly saveError?: (memory: Memory) => string | null;
  readonly random?: () => number;
}

export class Story {
  readonly trace: string[] = [];
  readonly effects: Effect[] = [];
  readonly reports: Report[] = [];
  readonly saves: Memory[] = [];
  /** What the log and the history say. */
  readonly recorded: string[] = [];
  readonly #mailbox = new Mailbox<Event>();
  readonly #supervisor: Supervisor;
  readonly #timers = new Set<Timer>();
  readonly #finished: Promise<void>;
  #now = 1_000;
  #told = "";
  #saved = "";

  constructor(options: StoryOptions = {}) {
    const policy = { ...testPolicy, ...options.policy };
    const memory = { ...emptyMemory, ...options.memory };
    const remembered = options.remembered === undefined ? { executable: testFacts, description: null, components: null } : options.remembered;
    const state = begin(policy, memory, remembered, { now: this.#now, at: "" });
    this.#saved = savedLine(memory);
    this.#supervisor = new Supervisor(state, memory, {
      clock: this.#clock(),
      random: options.random ?? (() => 0),
      log: silentLogger,
      record: ({ fields, message }) => this.recorded.push(`${message} ${JSON.stringify(fields)}`),
      mailbox: this.#mailbox,
      save: (saved) => this.#save(saved, options.saveError?.(saved) ?? null),
      perform: (effect) => this.#perform(effect),
      tell: (report) => this.#tell(report),
    });
    this.#finished = this.#supervisor.run();
  }

  get state(): State {
    return this.#supervisor.state;
  }

  get now(): number {
    return this.#now;
  }

  /** The part of the trace since the last call. */
  read(): string {
    return this.trace.splice(0).join("\n");
  }

  async post(event: Event): Promise<void> {
    this.trace.push(`> ${eventLine(event)}`);
    this.#mailbox.post(event);
    await this.settle();
  }

  /** Posts several events before the loop takes the first. */
  async postAll(events: readonly Event[]): Promise<void> {
    for (const event of events) {
      this.trace.push(`> ${eventLine(event)}`);
      this.#mailbox.post(event);
    }
    await this.settle();
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await this.settle();
    }
    this.#now = end;
    await this.settle();
  }

  /** Time passes, and the loop hears nothing of it until the end. */
  async freeze(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  /** Lets the loop run until it sleeps. */
  async settle(): Promise<void> {
    for (let i = 0; i < 40; i++) await Promise.resolve();
  }

  async finished(): Promise<void> {
    await this.#finished;
  }

  // What the edges would answer to the newest effect of a kind.

  async prepared(options: { runs?: boolean; digest?: string } = {}): Promise<void> {
    const effect = this.#last("prepare-config");
    await this.post({ is: "config-prepared", ticket: effect.ticket, build: answerOf(effect.source, { instanceUid: effect.instanceUid, ...options }) });
  }

  async refused(reason: string, options: { isBlameless?: boolean } = {}): Promise<void> {
    await this.post({ is: "config-refused", ticket: this.#last("prepare-config").ticket, reason, isBlameless: options.isBlameless ?? false });
  }

  async started(): Promise<void> {
    const { attempt } = this.#last("start-collector");
    await this.post({ is: "collector-started", attempt, pid: 100 + attempt, startTimeUnixNano: BigInt(attempt) });
  }

  async health(verdict: Verdict, error = "", options: { attempt?: number; link?: number } = {}): Promise<void> {
    const attempt = options.attempt ?? this.state.attempt;
    const health = { healthy: verdict === "healthy", status: verdict } as ComponentHealth;
    await this.post({ is: "collector-health", attempt, link: options.link ?? attempt, verdict, error, health });
  }

  async exited(options: Partial<Exit> & { attempt?: number } = {}): Promise<void> {
    const code = options.code === undefined ? (options.signal === undefined ? 0 : null) : options.code;
    const exit: Exit = { code, signal: options.signal ?? null, memoryKill: options.memoryKill ?? "none", tail: options.tail ?? "" };
    await this.post({ is: "collector-exited", attempt: options.attempt ?? this.state.attempt, exit });
  }

  /** From the start to a healthy Collector on what the memory says. */
  async up(): Promise<void> {
    await this.post({ is: "server-connected" });
    await this.prepared();
    await this.started();
    await this.health("healthy");
  }

  /** Another one is offered, prepared and started in place of what runs. */
  async swap(name: string): Promise<void> {
    await this.post({ is: "remote-config-offered", config: offerOf(name) });
    // Also where it is not the first of a burst.
    if (this.state.waiting !== null) await this.advance(OFFER_PAUSE_MS);
    await this.prepared();
    await this.exited();
    await this.started();
  }

  /** The Collector ends by itself right after its next start. */
  async crash(): Promise<void> {
    while (this.state.process.is === "down") await this.advance(100);
    await this.started();
    await this.exited({ code: 1 });
  }

  #last<K extends Effect["do"]>(kind: K): Extract<Effect, { do: K }> {
    const found = this.effects.findLast((effect): effect is Extract<Effect, { do: K }> => effect.do === kind);
    if (found === undefined) throw new Error(`no ${kind} yet`);
    return found;
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      unixNano: () => BigInt(this.#now) * 1_000_000n,
      after: (delayMs, run) => {
        const timer = { at: this.#now + delayMs, run };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      sleep: () => Promise.reject(new Error("the loop does not sleep by itself")),
    };
  }

  #save(memory: Memory, error: string | null): Promise<void> {
    if (error !== null) {
      this.trace.push(`  save fails: ${error}`);
      return Promise.reject(new Error(error));
    }
    this.saves.push(memory);
    const line = savedLine(memory);
    if (line !== this.#saved) this.trace.push(`  save ${line}`);
    this.#saved = line;
    return Promise.resolve();
  }

  #perform(effect: Effect): void {
    this.effects.push(effect);
    this.trace.push(`  ${effectLine(effect)} (${effect.because})`);
  }

  #tell(report: Report): void {
    this.reports.push(report);
    const line = toldLine(report);
    if (line !== this.#told) this.trace.push(`  tell ${line}`);
    this.#told = line;
  }
}

function eventLine(event: Event): string {
  switch (event.is) {
    case "remote-config-offered":
      return `${event.is} ${event.config.hash}`;
    case "config-prepared":
      return `${event.is} ${event.build.prepared.digest}`;
    case "config-refused":
      return `${event.is}: ${event.reason}`;
    case "collector-health":
      return `${event.is} #${event.attempt} ${event.verdict}`;
    case "collector-exited":
      return `${event.is} #${event.attempt} ${event.exit.signal ?? `code ${event.exit.code ?? "?"}`}`;
    default:
      return "attempt" in event ? `${event.is} #${event.attempt}` : event.is;
  }
}

function effectLine(effect: Effect): string {
  switch (effect.do) {
    case "prepare-config":
      return `${effect.do} ${sourceLine(effect.source)}${effect.provenDigest === null ? "" : ` proven ${effect.provenDigest}`}`;
    case "start-collector":
    case "reload-collector":
      return `${effect.do} #${effect.attempt} ${effect.run.build.prepared.digest}`;
    case "stop-collector":
      return `${effect.do} #${effect.attempt} next ${effect.next?.prepared.digest ?? "nothing"}`;
    default:
      return effect.do;
  }
}

function sourceLine(source: ConfigSource): string {
  switch (source.is) {
    case "layers":
      return source.remote?.hash ?? "local";
    case "fallback":
      return "fallback";
    case "as-it-was":
      return `${source.build.prepared.text} as it was`;
  }
}

function savedLine(memory: Memory): string {
  const status = memory.status === null ? "none" : `${memory.status.is} ${memory.status.hash}`;
  const trials = memory.trials.filter(({ lives }) => lives > 0).map(({ digest, hash }) => hash || digest);
  const trial = trials.length === 0 ? "" : `, on trial ${trials.join(" and ")}`;
  return `status ${status}, received ${memory.lastReceived?.hash ?? "none"}, working ${memory.lastWorking?.hash ?? "none"}${trial}`;
}

function toldLine(report: Report): string {
  const { error, repeat, status } = report.remoteConfig;
  const config = status === null ? "unset" : `${status.is} ${status.hash}${error === "" ? "" : ` "${error}"`}`;
  const health = report.health.healthy ? "healthy" : `unhealthy "${report.health.lastError}"`;
  const again = repeat === 0 ? "" : ` (repeat ${repeat})`;
  return `${config}${again}; ${health}${report.health.status.startsWith("not running") ? ` "${report.health.status}"` : ""}`;
}
