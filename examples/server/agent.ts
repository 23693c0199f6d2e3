/** All that the server knows of one agent. Only `fleet.ts` and the two it calls, `absorb.ts` and `answer.ts`, write it. */
import type {
  AgentDescription,
  AvailableComponents,
  ComponentHealth,
  ConnectionSettingsStatus,
  CustomCapabilities,
  EffectiveConfig,
  PackageStatuses,
  RemoteConfigStatus,
  ServerToAgent,
} from "../../src/gen/opamp/v1/opamp_pb.js";
import { MessageLog } from "./message-log.js";
import type { RemoteConfig } from "./remote-config.js";

/** A way to reach agents: a WebSocket, or the one POST that is being answered. */
export interface Link {
  /** Grows with every connection and request: the highest is the newest. */
  readonly id: number;
  readonly transport: "websocket" | "http";
  /** IP address of the other end. */
  readonly address: string;
  /** Sends without being asked; false where that is not possible. */
  push(message: ServerToAgent): boolean;
}

/** When is Unix milliseconds everywhere. */
export interface Agent {
  readonly uid: string;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  /** The WebSocket that it is reached by; null over plain HTTP and after a close. */
  link: Link | null;
  newestLinkId: number;
  transport: "websocket" | "http";
  address: string;
  /** Set once it is gone. */
  gone: { readonly why: string; readonly at: number } | null;
  /** Null before the first message was taken in. */
  sequence: bigint | null;
  capabilities: bigint;
  description: AgentDescription | null;
  health: ComponentHealth | null;
  effectiveConfig: EffectiveConfig | null;
  effectiveConfigAt: number;
  remoteConfigStatus: RemoteConfigStatus | null;
  packageStatuses: PackageStatuses | null;
  connectionSettingsStatus: ConnectionSettingsStatus | null;
  customCapabilities: CustomCapabilities | null;
  /** The full map, once it was asked for. */
  components: AvailableComponents | null;
  componentsHash: string;
  /** How often full state and components were asked for in vain; an agent that never answers is left alone. */
  fullStateAsks: number;
  needsFullState: boolean;
  componentsAsks: number;
  offer: Offer | null;
  /** The link that the server's capabilities and own telemetry destination were told on. */
  greetedLinkId: number;
  /** Over plain HTTP every answer is the first of its link, so that this has to be remembered. */
  toldOwnTelemetry: boolean;
  /** The identity that it was told to take. */
  newUid: string | null;
  /** For plain HTTP: what the next answers carry, one each. */
  pending: ServerToAgent[];
  notes: { readonly at: number; readonly text: string }[];
  readonly log: MessageLog;
}

/** A configuration on its way, and what the agent said to it. */
export interface Offer {
  readonly config: RemoteConfig;
  readonly savedAt: number;
  /** Null: not sent yet. */
  sentAt: number | null;
  sentLinkId: number;
  readonly statuses: { readonly at: number; readonly status: string; readonly error: string }[];
}

export const NOTES_MAX = 50;
export const PENDING_MAX = 100;

export function newAgent(uid: string, link: Link, nowMs: number): Agent {
  return {
    uid,
    firstSeenAt: nowMs,
    lastSeenAt: nowMs,
    link: null,
    newestLinkId: link.id,
    transport: link.transport,
    address: link.address,
    gone: null,
    sequence: null,
    capabilities: 0n,
    description: null,
    health: null,
    effectiveConfig: null,
    effectiveConfigAt: 0,
    remoteConfigStatus: null,
    packageStatuses: null,
    connectionSettingsStatus: null,
    customCapabilities: null,
    components: null,
    componentsHash: "",
    fullStateAsks: 0,
    needsFullState: false,
    componentsAsks: 0,
    offer: null,
    greetedLinkId: -1,
    toldOwnTelemetry: false,
    newUid: null,
    pending: [],
    notes: [],
    log: new MessageLog(),
  };
}

export function note(agent: Agent, nowMs: number, text: string): void {
  agent.notes.push({ at: nowMs, text });
  if (agent.notes.length > NOTES_MAX) agent.notes.shift();
}
