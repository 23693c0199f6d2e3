/** The answer to one message of an agent: an acknowledgement with whatever the server wants of this agent now. */
import { create } from "@bufbuild/protobuf";
import {
  AgentCapabilities,
  AgentToServerFlags,
  ServerCapabilities,
  ServerErrorResponseType,
  ServerToAgentFlags,
  ServerToAgentSchema,
  type AgentToServer,
  type ServerToAgent,
} from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Agent, Link } from "./agent.js";
import { has } from "./bits.js";
import { newUid, uidBytes } from "./instance-uid.js";
import { ownTelemetryOffer } from "./own-telemetry.js";
import { hex } from "./readable.js";
import { remoteConfigMessage } from "./remote-config.js";

export interface AnswerContext {
  readonly link: Link;
  readonly nowMs: number;
  readonly capabilities: bigint;
  /** Where agents on this host can send telemetry of their own; null: nowhere. */
  readonly otlpUrl: string | null;
}

export const SERVER_CAPABILITIES = BigInt(
  ServerCapabilities.ServerCapabilities_AcceptsStatus |
    ServerCapabilities.ServerCapabilities_OffersRemoteConfig |
    ServerCapabilities.ServerCapabilities_AcceptsEffectiveConfig |
    ServerCapabilities.ServerCapabilities_AcceptsPackagesStatus,
);
/** An agent that does not answer a flag is not asked for ever. */
const ASKS_MAX = 3;
/** A status with another hash just after an offer was probably on its way before it. */
const OFFER_AGAIN_MS = 5_000;

export function answer(agent: Agent, message: AgentToServer, context: AnswerContext): ServerToAgent {
  const reply = agent.pending.shift() ?? create(ServerToAgentSchema);
  reply.instanceUid = uidBytes(agent.uid);
  const isFirst = agent.greetedLinkId !== context.link.id;
  if (isFirst) reply.capabilities = context.capabilities;
  // A command stands alone: an agent ignores whatever comes with it.
  if (reply.command !== undefined || reply.errorResponse !== undefined) return reply;
  agent.greetedLinkId = context.link.id;
  if (context.link.transport === "websocket" ? isFirst : !agent.toldOwnTelemetry || message.sequenceNum === 0n) {
    reply.connectionSettings ??= ownTelemetryOffer(agent, context.otlpUrl);
    agent.toldOwnTelemetry = true;
  }
  reply.flags |= flags(agent);
  if ((message.flags & BigInt(AgentToServerFlags.AgentToServerFlags_RequestInstanceUid)) !== 0n) agent.newUid ??= newUid();
  if (agent.newUid !== null) reply.agentIdentification ??= { $typeName: "opamp.proto.v1.AgentIdentification", newInstanceUid: uidBytes(agent.newUid) };
  if (reply.remoteConfig === undefined && isOfferDue(agent, message, context)) addOffer(agent, reply, context);
  return reply;
}

/** An error stands alone too. */
export function errorAnswer(uid: Uint8Array, type: ServerErrorResponseType, errorMessage: string): ServerToAgent {
  return create(ServerToAgentSchema, { instanceUid: uid, errorResponse: { type, errorMessage } });
}

export function badRequest(uid: Uint8Array, why: string): ServerToAgent {
  return errorAnswer(uid, ServerErrorResponseType.ServerErrorResponseType_BadRequest, why);
}

/** Puts the configuration into a message that goes out now. */
export function addOffer(agent: Agent, reply: ServerToAgent, context: Pick<AnswerContext, "link" | "nowMs">): void {
  if (agent.offer === null) return;
  reply.remoteConfig = remoteConfigMessage(agent.offer.config);
  agent.offer.sentAt ??= context.nowMs;
  agent.offer.sentLinkId = context.link.id;
}

/**
 * Nothing is ever offered that nobody saved: an agent keeps what it runs when it meets a server that knows nothing. What
 * was saved is offered until the agent names its hash: in every answer over plain HTTP, where an answer may be lost
 * unseen, and once for each WebSocket, unless the agent insists on another hash. One that never reports gets it once.
 */
function isOfferDue(agent: Agent, message: AgentToServer, context: AnswerContext): boolean {
  const { offer } = agent;
  if (offer === null || !has(agent.capabilities, AgentCapabilities.AgentCapabilities_AcceptsRemoteConfig)) return false;
  const reported = agent.remoteConfigStatus;
  if (reported !== null && hex(reported.lastRemoteConfigHash) === hex(offer.config.hash)) return false;
  // A full report is on its way: it will name the hash, which may well be ours from before a restart of this server.
  if (reported === null && agent.needsFullState && agent.fullStateAsks < ASKS_MAX) return false;
  if (!has(agent.capabilities, AgentCapabilities.AgentCapabilities_ReportsRemoteConfig)) return offer.sentAt === null;
  if (context.link.transport === "http" || offer.sentLinkId !== context.link.id) return true;
  const insists = message.remoteConfigStatus !== undefined;
  return insists && context.nowMs - (offer.sentAt ?? context.nowMs) > OFFER_AGAIN_MS;
}

function flags(agent: Agent): bigint {
  let asked = 0;
  if (agent.needsFullState && agent.fullStateAsks < ASKS_MAX) {
    agent.fullStateAsks++;
    asked |= ServerToAgentFlags.ServerToAgentFlags_ReportFullState;
  }
  const reportsComponents = has(agent.capabilities, AgentCapabilities.AgentCapabilities_ReportsAvailableComponents);
  if (reportsComponents && agent.componentsHash !== "" && agent.components === null && agent.componentsAsks < ASKS_MAX) {
    agent.componentsAsks++;
    asked |= ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents;
  }
  return BigInt(asked);
}
