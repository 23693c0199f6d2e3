/** An agent as JSON for the page, for tests and for curl: everything decoded, nothing interpreted twice. */
import { AgentCapabilities, ConnectionSettingsStatusSchema, PackageStatusesSchema, RemoteConfigStatusesSchema, type ComponentDetails, type ComponentHealth } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Agent } from "./agent.js";
import { capabilityList, has, valueName } from "./bits.js";
import type { Fleet, Liveness } from "./fleet.js";
import { bytesText, hex, nanoText, readable, readableAttributes, type Json } from "./readable.js";

export interface AgentSummary {
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly liveness: Liveness;
  /** Healthy and reachable; null: not known, since the agent does not report health. */
  readonly up: boolean | null;
  /** Why it is not up; empty if it is. */
  readonly why: string;
  readonly transport: "websocket" | "http";
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly configStatus: string;
  readonly acceptsRemoteConfig: boolean;
  /** For the filter box. */
  readonly attributes: { readonly [key: string]: Json };
}

export function agentSummary(agent: Agent, fleet: Fleet): AgentSummary {
  const liveness = fleet.liveness(agent);
  const identifying = readableAttributes(agent.description?.identifyingAttributes ?? []);
  const other = readableAttributes(agent.description?.nonIdentifyingAttributes ?? []);
  return {
    uid: agent.uid,
    name: text(identifying["service.name"]),
    version: text(identifying["service.version"]),
    host: text(other["host.name"]),
    liveness,
    ...upAndWhy(agent, liveness),
    transport: agent.transport,
    firstSeenAt: agent.firstSeenAt,
    lastSeenAt: agent.lastSeenAt,
    configStatus: configState(agent),
    acceptsRemoteConfig: has(agent.capabilities, AgentCapabilities.AgentCapabilities_AcceptsRemoteConfig),
    attributes: { ...identifying, ...other },
  };
}

export function agentView(agent: Agent, fleet: Fleet): Record<string, unknown> {
  return {
    ...agentSummary(agent, fleet),
    address: agent.address,
    sequence: agent.sequence === null ? null : Number(agent.sequence),
    gone: agent.gone,
    notes: agent.notes,
    newUid: agent.newUid,
    acceptsRestart: has(agent.capabilities, AgentCapabilities.AgentCapabilities_AcceptsRestartCommand),
    capabilities: capabilityList(agent.capabilities),
    identifyingAttributes: readableAttributes(agent.description?.identifyingAttributes ?? []),
    nonIdentifyingAttributes: readableAttributes(agent.description?.nonIdentifyingAttributes ?? []),
    health: agent.health === null ? null : healthView(agent.health),
    effectiveConfig: effectiveFiles(agent),
    effectiveConfigAt: agent.effectiveConfigAt,
    remoteConfig: remoteConfigView(agent),
    components: {
      hash: agent.componentsHash,
      tree: agent.components === null ? null : componentsView(agent.components.components),
    },
    packages: agent.packageStatuses === null ? null : readable(agent.packageStatuses, PackageStatusesSchema),
    connectionSettings: agent.connectionSettingsStatus === null ? null : readable(agent.connectionSettingsStatus, ConnectionSettingsStatusSchema),
    customCapabilities: agent.customCapabilities?.capabilities ?? [],
    messages: agent.log.count,
  };
}

/** Null: the agent never reported one. */
export function effectiveFiles(agent: Agent): { name: string; body: string; contentType: string; role: string }[] | null {
  if (agent.effectiveConfig === null) return null;
  const files = Object.entries(agent.effectiveConfig.configMap?.configMap ?? {});
  return files.map(([name, file]) => ({ name, body: bytesText(file.body), contentType: file.contentType, role: file.role }));
}

/**
 * What became of what was saved: SAVED (waits for the agent), SENT (not heard of yet) or the agent's own word on it.
 * Without anything saved here, the agent's word on whatever it got elsewhere.
 */
export function configState(agent: Agent): string {
  const { offer } = agent;
  if (offer === null) return statusName(agent.remoteConfigStatus?.status ?? 0);
  return offer.statuses.at(-1)?.status ?? (offer.sentAt === null ? "SAVED" : "SENT");
}

function remoteConfigView(agent: Agent): Record<string, unknown> {
  const { offer, remoteConfigStatus: said } = agent;
  const last = offer?.statuses.at(-1);
  return {
    state: configState(agent),
    error: offer === null ? (said?.errorMessage ?? "") : (last?.error ?? ""),
    reported: said === null ? null : { status: statusName(said.status), hash: hex(said.lastRemoteConfigHash), error: said.errorMessage },
    offer:
      offer === null
        ? null
        : {
            files: offer.config.files,
            hash: hex(offer.config.hash),
            savedAt: offer.savedAt,
            sentAt: offer.sentAt,
            statuses: offer.statuses,
            // From a server of an earlier life we know the outcome, but not how long it took.
            tookMs: last === undefined || offer.sentAt === null ? null : last.at - offer.sentAt,
          },
  };
}

function statusName(status: number): string {
  return valueName(status, RemoteConfigStatusesSchema);
}

function upAndWhy(agent: Agent, liveness: Liveness): { up: boolean | null; why: string } {
  if (agent.gone !== null) return { up: false, why: `gone: ${agent.gone.why}` };
  if (liveness === "stale") return { up: false, why: "stale: no message for three heartbeats" };
  if (agent.health === null) return { up: null, why: "the agent has not reported its health" };
  if (agent.health.healthy) return { up: true, why: "" };
  const { lastError, status } = agent.health;
  return { up: false, why: lastError || status || "the agent says that it is not healthy, and not why" };
}

function healthView(health: ComponentHealth): Record<string, unknown> {
  return {
    healthy: health.healthy,
    status: health.status,
    lastError: health.lastError,
    startTime: nanoText(health.startTimeUnixNano),
    statusTime: nanoText(health.statusTimeUnixNano),
    attributes: readableAttributes(health.attributes),
    components: Object.fromEntries(Object.entries(health.componentHealthMap).map(([name, child]) => [name, healthView(child)])),
  };
}

function componentsView(components: { [name: string]: ComponentDetails }): Record<string, unknown> {
  const entries = Object.entries(components).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, details]) => [name, { metadata: readableAttributes(details.metadata), components: componentsView(details.subComponentMap) }]),
  );
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
