/**
 * All agents that the server ever saw, kept after they are gone: what they said, what they are wanted to run, and the
 * orders of a person. The transports feed messages in and ask for the answers; nobody else writes an agent.
 */
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { AgentCapabilities, CommandType, ServerToAgentFlags, ServerToAgentSchema, type AgentToServer, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Clock } from "../../src/lib/clock.js";
import { absorb, type Part } from "./absorb.js";
import { newAgent, note, PENDING_MAX, type Agent, type Link } from "./agent.js";
import { addOffer, answer, type AnswerContext } from "./answer.js";
import { has } from "./bits.js";
import type { ConfigStore } from "./config-store.js";
import { newUid, uidBytes, uidText } from "./instance-uid.js";
import { Refused } from "./refused.js";
import { configHash, type ConfigFile } from "./remote-config.js";

/** What the outside is told: `parts` says what of the agent changed. */
export type News =
  | { readonly is: "changed"; readonly uid: string; readonly parts: readonly Part[] }
  | { readonly is: "received"; readonly uid: string; readonly message: AgentToServer; readonly bytes: number }
  | { readonly is: "sent"; readonly uid: string; readonly message: ServerToAgent; readonly bytes: number }
  | { readonly is: "misbehaved"; readonly uid: string | null; readonly what: string }
  | { readonly is: "malformed"; readonly address: string; readonly why: string }
  | { readonly is: "left"; readonly uid: string; readonly why: string };

export interface FleetOptions {
  readonly clock: Clock;
  readonly configs: ConfigStore;
  readonly capabilities: bigint;
  readonly heartbeatMs: number;
  /** The OTLP sink as agents reach it; null: none. */
  readonly otlpUrl: () => string | null;
}

export type Liveness = "up" | "stale" | "gone";

const AGENTS_MAX = 2_000;
const MISSED_HEARTBEATS = 3;
/** Over plain HTTP nothing closes: who is silent for so long is taken for gone. */
const GONE_HEARTBEATS = 20;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #listeners = new Set<(news: News) => void>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Newest first seen last. */
  agents(): readonly Agent[] {
    return [...this.#agents.values()];
  }

  find(uid: string): Agent | undefined {
    return this.#agents.get(uid);
  }

  /** Throws `Refused` (404) where there is none. */
  agent(uid: string): Agent {
    const agent = this.#agents.get(uid);
    if (agent === undefined) throw new Refused(404, `no agent with instance uid ${uid} was ever seen here`);
    return agent;
  }

  /** Calls `listener` with all news; the returned function ends that. */
  on(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }

  nowMs(): number {
    return Number(this.#options.clock.unixNano() / 1_000_000n);
  }

  /** Without heartbeats, silence on an open WebSocket says nothing; its own ping finds a dead one. */
  liveness(agent: Agent): Liveness {
    if (agent.gone !== null) return "gone";
    const beats = agent.transport === "http" || has(agent.capabilities, AgentCapabilities.AgentCapabilities_ReportsHeartbeat);
    return beats && this.nowMs() - agent.lastSeenAt > MISSED_HEARTBEATS * this.#options.heartbeatMs ? "stale" : "up";
  }

  /** Looks at the clock: to be called now and then, since silence makes no event. */
  noticeSilence(): void {
    const silentMs = GONE_HEARTBEATS * this.#options.heartbeatMs;
    for (const agent of this.#agents.values()) {
      if (agent.transport !== "http" || agent.gone !== null || this.nowMs() - agent.lastSeenAt <= silentMs) continue;
      this.#leave(agent, `no message for ${GONE_HEARTBEATS} heartbeats`);
      this.tell({ is: "changed", uid: agent.uid, parts: ["link"] });
    }
  }

  /** Takes a message in. A text: it cannot be taken, and why. */
  receive(link: Link, message: AgentToServer, bytes: number): Agent | string {
    const uid = uidText(message.instanceUid);
    if (uid === null) return `instance_uid must have 16 bytes that are not all zero, it has ${message.instanceUid.length}`;
    const agent = this.#agents.get(uid) ?? this.#admit(uid, link);
    if (agent === null) return `this server keeps at most ${AGENTS_MAX} agents`;
    agent.log.add({ at: this.nowMs(), bytes, direction: "received", message });
    this.tell({ is: "received", uid, message, bytes });
    if (this.#isSuperseded(agent, link)) {
      this.tell({ is: "changed", uid, parts: ["notes", "messages"] });
      return agent;
    }
    const wasGone = agent.gone !== null;
    const parts = this.#bind(agent, link);
    parts.push(...absorb(agent, message, this.nowMs()));
    if (message.agentDisconnect !== undefined) this.#leave(agent, "it said goodbye (agent_disconnect)");
    else if (wasGone) note(agent, this.nowMs(), "came back");
    this.tell({ is: "changed", uid, parts: wasGone ? [...parts, "link"] : parts });
    return agent;
  }

  answer(agent: Agent, message: AgentToServer, link: Link): ServerToAgent {
    if (this.#isSuperseded(agent, link)) return this.#newIdentityForDuplicate(agent);
    const { capabilities, otlpUrl } = this.#options;
    const context: AnswerContext = { link, nowMs: this.nowMs(), capabilities, otlpUrl: otlpUrl() };
    return answer(agent, message, context);
  }

  /** The transport has sent this. */
  sent(agent: Agent, message: ServerToAgent, bytes: number): void {
    agent.log.add({ at: this.nowMs(), bytes, direction: "sent", message });
    this.tell({ is: "sent", uid: agent.uid, message, bytes });
    this.tell({ is: "changed", uid: agent.uid, parts: message.remoteConfig === undefined ? ["messages"] : ["messages", "remoteConfig"] });
  }

  misbehaved(agent: Agent | null, what: string): void {
    agent?.log.add({ at: this.nowMs(), bytes: 0, direction: "misbehaved", what });
    this.tell({ is: "misbehaved", uid: agent?.uid ?? null, what });
    if (agent !== null) this.tell({ is: "changed", uid: agent.uid, parts: ["messages"] });
  }

  /** The link is closed: whoever was reached by it and by nothing newer is gone. */
  linkClosed(link: Link, why: string): void {
    for (const agent of this.#agents.values()) {
      if (agent.link !== link) continue;
      agent.link = null;
      if (agent.gone === null) this.#leave(agent, why);
      this.tell({ is: "changed", uid: agent.uid, parts: ["link"] });
    }
  }

  /** Saves what the agent shall run and sends it if it can be reached now. An agent never gets what nobody saved. */
  async saveConfig(uid: string, files: readonly ConfigFile[], hash?: Uint8Array): Promise<Agent> {
    const agent = this.agent(uid);
    if (!has(agent.capabilities, AgentCapabilities.AgentCapabilities_AcceptsRemoteConfig)) {
      throw new Refused(409, "this agent does not accept remote configuration (AcceptsRemoteConfig is not among its capabilities)");
    }
    const config = { files, hash: hash ?? configHash(files) };
    await this.#options.configs.save(uid, config);
    agent.offer = { config, savedAt: this.nowMs(), sentAt: null, sentLinkId: -1, statuses: [] };
    const { link } = agent;
    if (link !== null) this.#push(agent, (reply) => addOffer(agent, reply, { link, nowMs: this.nowMs() }));
    this.tell({ is: "changed", uid, parts: ["remoteConfig"] });
    return agent;
  }

  /** The agent keeps what it has; the server no longer wants anything. */
  async forgetConfig(uid: string): Promise<void> {
    const agent = this.agent(uid);
    await this.#options.configs.remove(uid);
    agent.offer = null;
    this.tell({ is: "changed", uid, parts: ["remoteConfig"] });
  }

  restart(uid: string): void {
    const agent = this.agent(uid);
    if (!has(agent.capabilities, AgentCapabilities.AgentCapabilities_AcceptsRestartCommand)) {
      throw new Refused(409, "this agent does not take the restart command (AcceptsRestartCommand is not among its capabilities)");
    }
    this.send(uid, { command: { type: CommandType.CommandType_Restart } });
  }

  requestFullState(uid: string): void {
    this.send(uid, { flags: BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState) });
  }

  /** The uid that the agent is told to take. */
  giveNewIdentity(uid: string, wanted = newUid()): string {
    this.send(uid, { agentIdentification: { newInstanceUid: uidBytes(wanted) } });
    this.agent(uid).newUid = wanted;
    return wanted;
  }

  /** Any message, as it is: at once over a WebSocket, with the next answer over plain HTTP. */
  send(uid: string, message: MessageInitShape<typeof ServerToAgentSchema>): void {
    const agent = this.agent(uid);
    if (this.liveness(agent) === "gone") throw new Refused(409, `agent ${uid} is gone and cannot be reached`);
    this.#push(agent, (reply) => Object.assign(reply, create(ServerToAgentSchema, { ...message, instanceUid: reply.instanceUid })));
  }

  #push(agent: Agent, fill: (reply: ServerToAgent) => void): void {
    const message = create(ServerToAgentSchema, { instanceUid: uidBytes(agent.uid) });
    fill(message);
    if (agent.link?.push(message) === true) {
      this.sent(agent, message, toBinary(ServerToAgentSchema, message).length + 1);
    } else if (agent.transport === "http" && message.remoteConfig === undefined) {
      if (agent.pending.length >= PENDING_MAX) throw new Refused(409, "too many messages wait for the next poll of this agent");
      agent.pending.push(message);
    }
  }

  #admit(uid: string, link: Link): Agent | null {
    if (this.#agents.size >= AGENTS_MAX) {
      const oldest = this.agents().find((agent) => agent.gone !== null);
      if (oldest === undefined) return null;
      this.#agents.delete(oldest.uid);
    }
    const agent = newAgent(uid, link, this.nowMs());
    const renamed = this.agents().find((other) => other.newUid === uid);
    if (renamed !== undefined) this.#rename(renamed, agent);
    const config = agent.offer === null ? this.#options.configs.find(uid) : undefined;
    if (config !== undefined) agent.offer = { config, savedAt: this.nowMs(), sentAt: null, sentLinkId: -1, statuses: [] };
    this.#agents.set(uid, agent);
    return agent;
  }

  /** The agent took the identity that it was given: what it shall run goes with it. */
  #rename(old: Agent, agent: Agent): void {
    agent.offer = old.offer;
    if (old.offer !== null) {
      this.#options.configs.save(agent.uid, old.offer.config).catch((error: unknown) => {
        note(agent, this.nowMs(), `its configuration could not be stored: ${String(error)}`);
      });
    }
    note(agent, this.nowMs(), `was ${old.uid} before`);
    old.newUid = null;
    old.link = null;
    this.#leave(old, `it took the identity ${agent.uid}`);
    this.tell({ is: "changed", uid: old.uid, parts: ["link"] });
  }

  /** A newer connection has the seat and lives, yet the older one still speaks: two agents share one uid. */
  #isSuperseded(agent: Agent, link: Link): boolean {
    return link.id < agent.newestLinkId && agent.gone === null;
  }

  #newIdentityForDuplicate(agent: Agent): ServerToAgent {
    const uid = newUid();
    note(agent, this.nowMs(), `two live connections with this uid: the older one is told to become ${uid}`);
    return create(ServerToAgentSchema, { instanceUid: uidBytes(agent.uid), agentIdentification: { newInstanceUid: uidBytes(uid) } });
  }

  #bind(agent: Agent, link: Link): Part[] {
    const isNew = agent.newestLinkId !== link.id || agent.link === null;
    if (agent.link !== null && agent.link.id !== link.id) {
      note(agent, this.nowMs(), "a second connection took over while the first was still open");
    }
    agent.newestLinkId = link.id;
    agent.link = link.transport === "websocket" ? link : null;
    agent.transport = link.transport;
    agent.address = link.address;
    agent.gone = null;
    return isNew && link.transport === "websocket" ? ["link", "notes"] : [];
  }

  #leave(agent: Agent, why: string): void {
    agent.gone = { why, at: this.nowMs() };
    note(agent, this.nowMs(), `gone: ${why}`);
    this.tell({ is: "left", uid: agent.uid, why });
  }
}
