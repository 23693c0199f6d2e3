/** Where an agent that reports metrics of its own may send them: the OTLP sink of this server. */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { AgentCapabilities, ConnectionSettingsOffersSchema, type ConnectionSettingsOffers } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Agent } from "./agent.js";
import { has } from "./bits.js";

/** The sink listens on the loopback address, so only agents of this host are told of it. */
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export function ownTelemetryOffer(agent: Agent, otlpUrl: string | null): ConnectionSettingsOffers | undefined {
  const isWilling = has(agent.capabilities, AgentCapabilities.AgentCapabilities_ReportsOwnMetrics);
  if (otlpUrl === null || !isWilling || !LOOPBACK.test(agent.address)) return undefined;
  const destinationEndpoint = `${otlpUrl}/v1/metrics`;
  const hash = Uint8Array.from(createHash("sha256").update(`own_metrics:${destinationEndpoint}`).digest());
  if (agent.connectionSettingsStatus !== null && Buffer.from(hash).equals(agent.connectionSettingsStatus.lastConnectionSettingsHash)) {
    return undefined;
  }
  return create(ConnectionSettingsOffersSchema, { hash, ownMetrics: { destinationEndpoint } });
}
