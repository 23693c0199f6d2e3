/** One message of an agent and what goes back, the same over both transports. */
import { create } from "@bufbuild/protobuf";
import { ServerToAgentSchema, type AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Agent, Link } from "./agent.js";
import { addOffer, badRequest } from "./answer.js";
import type { BadMode, BadModes } from "./bad-mode.js";
import { deliver, isAnswered, type Delivery } from "./delivery.js";
import type { Fleet } from "./fleet.js";

export interface Exchanged {
  /** Null: the message could not be credited to an agent. */
  readonly agent: Agent | null;
  readonly delivery: Delivery;
}

export function exchange(fleet: Fleet, modes: BadModes, link: Link, message: AgentToServer, bytes: number): Exchanged {
  const agent = fleet.receive(link, message, bytes);
  if (typeof agent === "string") return { agent: null, delivery: refuse(fleet, link, agent, message.instanceUid) };
  const mode = modes.take(agent.uid);
  if (mode.is !== "none") fleet.misbehaved(agent, describe(mode));
  if (!isAnswered(mode)) return { agent, delivery: deliver(mode, create(ServerToAgentSchema, { instanceUid: message.instanceUid })) };
  const answer = fleet.answer(agent, message, link);
  if (mode.is === "offer-storm") addOffer(agent, answer, { link, nowMs: fleet.nowMs() });
  return { agent, delivery: deliver(mode, answer) };
}

/** What cannot be understood is answered with the reason: an agent's author should not have to guess. */
export function refuse(fleet: Fleet, link: Link, why: string, uid: Uint8Array = new Uint8Array()): Delivery {
  fleet.tell({ is: "malformed", address: link.address, why });
  return { do: "send", message: badRequest(uid, why), delayMs: 0, thenClose: false };
}

function describe(mode: BadMode): string {
  const { is, ...details } = mode;
  return [is, ...Object.entries(details).map(([name, value]) => `${name} ${String(value)}`)].join(", ");
}
