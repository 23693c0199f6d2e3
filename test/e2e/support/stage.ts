/** A server and a host for one test, with what the server was told; taken down after the test, and shown when it failed. */
import { onTestFailed, onTestFinished, type TestContext } from "vitest";
import type { OpampServerOptions } from "../../../examples/server/opamp-server.js";
import { SeenAgent, type SeenStatus } from "../../interop/support/seen-agent.js";
import { oneFile, startTestServer, type TestServer } from "../../support/opamp-server.js";
import { Host, type Sections } from "./host.js";
import type { StartOptions, SupervisorProcess } from "./supervisor-process.js";

export interface StageOptions {
  readonly sections?: Sections;
  readonly transport?: "websocket" | "http";
  readonly server?: Partial<OpampServerOptions>;
}

/** Those of the test that runs; a test that runs beside others hands in its own, from its context. */
export type Hooks = Pick<TestContext, "onTestFailed" | "onTestFinished">;

const HOOKS: Hooks = { onTestFailed, onTestFinished };

export class Stage {
  readonly host: Host;
  readonly server: TestServer;
  /** What the server knows, and everything that it was told. */
  readonly agent = new SeenAgent();
  readonly #endpoint: string;

  constructor(host: Host, server: TestServer, transport: "websocket" | "http") {
    this.host = host;
    this.server = server;
    this.#endpoint = transport === "http" ? server.httpUrl : server.webSocketUrl;
    server.fleet.on((news) => {
      if (news.is === "received") this.agent.take(news.uid, news.message);
    });
  }

  settings(sections: Sections = {}): Promise<void> {
    return this.host.settings(this.#endpoint, sections);
  }

  /** Starts a supervisor and waits until the server sees a healthy agent. */
  async up(options?: StartOptions): Promise<SupervisorProcess> {
    const known = this.agent.messages.length;
    const supervisor = this.host.start(options);
    await this.until("the agent to be up", () => this.agent.messages.slice(known).some(({ health }) => health?.healthy === true));
    return supervisor;
  }

  /** Saves a configuration as a person does in the page. The hash, in hexadecimal. */
  async send(body: string, hash?: Uint8Array): Promise<string> {
    const { offer } = await this.server.fleet.saveConfig(this.agent.uid, oneFile(body), hash);
    return Buffer.from(offer?.config.hash ?? []).toString("hex");
  }

  /** The final status of that hash: the first one, or the first one after `from` statuses. */
  async outcome(hash: string, from = 0, timeoutMs?: number): Promise<SeenStatus> {
    const final = (): SeenStatus | undefined =>
      this.agent.statuses.slice(from).find((status) => status.hash === hash && (status.is === "applied" || status.is === "failed"));
    return this.until(`the outcome of ${hash}`, final, timeoutMs);
  }

  /** Sends and expects APPLIED. */
  async apply(body: string): Promise<string> {
    const hash = await this.send(body);
    const { error, is } = await this.outcome(hash);
    if (is !== "applied") throw new Error(`not applied: ${error}`);
    await this.until("health", () => this.agent.healthy);
    return hash;
  }

  async until<T>(what: string, pick: () => T | undefined | null | false, timeoutMs?: number): Promise<T> {
    return this.server.until(pick, () => `${what}; the server knows ${this.agent.summary()}`, timeoutMs);
  }

  /** The id of the one Collector. */
  async collector(): Promise<number> {
    const [pid, ...others] = await this.host.collectors();
    if (pid === undefined || others.length > 0) throw new Error(`expected one Collector, there are ${others.length + (pid === undefined ? 0 : 1)}`);
    return pid;
  }
}

/** To be called inside a test. */
export async function setStage({ sections, transport = "websocket", server: options }: StageOptions = {}, hooks: Hooks = HOOKS): Promise<Stage> {
  const server = await startTestServer(options);
  hooks.onTestFinished(() => server.close());
  const host = await newHost(hooks);
  const stage = new Stage(host, server, transport);
  await stage.settings(sections);
  return stage;
}

/** To be called inside a test: a host without a server. */
export async function newHost(hooks: Hooks = HOOKS): Promise<Host> {
  const host = await Host.create();
  hooks.onTestFailed(() => console.error(host.diagnosis()));
  hooks.onTestFinished(() => host.remove());
  return host;
}
