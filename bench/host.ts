/** A host as a user has it: a directory with supervisor.yaml and storage, a server of its own, one supervisor. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RemoteConfigStatuses, type AgentToServer } from "../src/gen/opamp/v1/opamp_pb.js";
import { systemClock, type Millis } from "../src/lib/clock.js";
import { QUIET_YAML } from "./configs.js";
import { childRunning, isAlive, kill, processesOf } from "./processes.js";
import type { Bench, SupervisorProgram } from "./row.js";
import { supervisorYaml } from "./supervisor-yaml.js";
import { WatchedServer, type Arrival, type Offered } from "./watched-server.js";

export interface HostOptions {
  /** The local layer, instead of one that only turns the Collector's own metrics off. */
  readonly localYaml?: string;
  /** Lines for the `agent` section. */
  readonly agent?: readonly string[];
  /** Instead of the Collector. */
  readonly executable?: (directory: string) => string;
}

export interface Started {
  readonly pid: number;
  readonly atMs: Millis;
  /** The first message that arrives after it is the first of this start. */
  readonly mark: number;
}

/** The Go supervisor takes 10 s more now and then. */
export const WAIT_MS_MAX = 30_000;
/** Longer than the pause that ends a burst of offers. */
const OFFER_PAUSE_MS = 2_600;
const EXIT_MS_MAX = 15_000;
/** A setting that only ours knows: what is applied is good at once, as it is on a host after its first minute. */
const NO_PROBATION = ["config_probation: 0s"];
const START_ATTEMPTS_MAX = 3;
const LOG_TAIL_CHARS = 1_000;

export class Host {
  readonly directory: string;
  readonly server: WatchedServer;
  readonly #bench: Bench;
  readonly #supervisor: SupervisorProgram;
  #child: ChildProcess | null = null;
  #lastOfferAtMs = -Infinity;

  static async create(bench: Bench, supervisor: SupervisorProgram, options: HostOptions = {}): Promise<Host> {
    const host = new Host(bench, supervisor, await WatchedServer.start());
    const executable = options.executable?.(host.directory) ?? bench.collector;
    writeFileSync(join(host.directory, "local.yaml"), options.localYaml ?? QUIET_YAML);
    writeFileSync(join(host.directory, "supervisor.yaml"), supervisorYaml({ endpoint: host.server.url, directory: host.directory, executable, agent: options.agent ?? [] }));
    return host;
  }

  /** A host whose storage is in use: it ran this configuration before, and counts it as good. Not started. */
  static async createUsed(bench: Bench, supervisor: SupervisorProgram, body: string): Promise<Host> {
    const host = await Host.create(bench, supervisor, { agent: supervisor.name === "ours" ? NO_PROBATION : [] });
    await host.startHealthy();
    await host.apply(body);
    await host.stop();
    return host;
  }

  private constructor(bench: Bench, supervisor: SupervisorProgram, server: WatchedServer) {
    this.#bench = bench;
    this.#supervisor = supervisor;
    this.server = server;
    this.directory = bench.leftovers.newDirectory();
  }

  get supervisorName(): string {
    return this.#supervisor.name;
  }

  start(): Started {
    const [program, ...args] = this.#supervisor.command;
    const log = openSync(join(this.directory, "supervisor.log"), "a");
    const mark = this.server.mark();
    const atMs = systemClock.now();
    const child = spawn(program, [...args, "--config=supervisor.yaml"], { cwd: this.directory, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#bench.leftovers.watch(child);
    this.#child = child;
    if (child.pid === undefined) throw new Error(`${program} could not be started`);
    return { pid: child.pid, atMs, mark };
  }

  /**
   * A start that is waited for until the server has heard of a healthy Collector, for what comes after it to be measured.
   * It is tried again when it fails, since the start of the Go supervisor sometimes does.
   */
  async startHealthy(): Promise<Started & { readonly healthy: Arrival }> {
    for (let attempt = 1; ; attempt++) {
      const started = this.start();
      try {
        return { ...started, healthy: await this.healthyAfter(started.mark) };
      } catch (error) {
        if (attempt === START_ATTEMPTS_MAX) throw error;
        this.#bench.note(`${this.#supervisor.name}: a start that is not measured failed and is tried again: ${messageOf(error)}`);
        await this.stop();
      }
    }
  }

  healthyAfter(mark: number): Promise<Arrival> {
    return this.next(mark, ({ health }) => health?.healthy === true, "a healthy Collector");
  }

  async next(mark: number, matches: (message: AgentToServer) => boolean, what: string, timeoutMs: Millis = WAIT_MS_MAX): Promise<Arrival> {
    const child = this.#child;
    const over = new AbortController();
    try {
      const ended = child === null ? [] : [endOf(child, over.signal)];
      return await Promise.race([this.server.next(mark, matches, what, timeoutMs), ...ended]);
    } catch (error) {
      throw new Error(`${messageOf(error)}; the supervisor said: ${this.#logTail()}`, { cause: error });
    } finally {
      over.abort();
    }
  }

  /** Sends a configuration, late enough to be no part of a burst, and waits until it is applied. */
  async apply(body: string): Promise<{ readonly offered: Offered; readonly applied: Arrival }> {
    await systemClock.sleep(Math.max(0, this.#lastOfferAtMs + OFFER_PAUSE_MS - systemClock.now()));
    const mark = this.server.mark();
    const offered = await this.server.send(body);
    this.#lastOfferAtMs = offered.sentAtMs;
    return { offered, applied: await this.applied(mark, offered) };
  }

  applied(mark: number, { hash }: Offered, timeoutMs = WAIT_MS_MAX): Promise<Arrival> {
    return this.next(mark, (message) => hasApplied(message, hash), "APPLIED", timeoutMs);
  }

  /** The process of the Collector; rejects where there is none. */
  collectorPid(): number {
    const pid = this.#child?.pid === undefined ? null : childRunning(this.#child.pid, this.#bench.collector);
    if (pid === null) throw new Error("the supervisor runs no Collector");
    return pid;
  }

  /** Everything is gone afterwards, also a Collector that the supervisor left behind. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const cancel = systemClock.after(EXIT_MS_MAX, () => child.kill("SIGKILL"));
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      cancel();
    }
    const left = processesOf(this.directory);
    for (const pid of left) kill(pid, "SIGKILL");
    while (left.some(isAlive)) await systemClock.sleep(1);
    this.server.forget();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.server.close();
    this.#bench.leftovers.removeDirectory(this.directory);
  }

  #logTail(): string {
    return readFileSync(join(this.directory, "supervisor.log"), "utf8").slice(-LOG_TAIL_CHARS);
  }
}

/** Rejects when the process ends before `signal` is aborted. */
function endOf(child: ChildProcess, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onExit = (): void => reject(new Error("the supervisor ended by itself"));
    if (child.exitCode !== null || child.signalCode !== null) onExit();
    child.once("exit", onExit);
    signal.addEventListener("abort", () => child.off("exit", onExit));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hasApplied({ remoteConfigStatus }: AgentToServer, hash: Uint8Array): boolean {
  if (remoteConfigStatus === undefined || !Buffer.from(hash).equals(remoteConfigStatus.lastRemoteConfigHash)) return false;
  if (remoteConfigStatus.status === RemoteConfigStatuses.RemoteConfigStatuses_FAILED) throw new Error(`FAILED: ${remoteConfigStatus.errorMessage}`);
  return remoteConfigStatus.status === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED;
}
