/** Reports, messages and clients for the tests of this folder. */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type { TlsSettings } from "../../src/config/settings.js";
import type { Event } from "../../src/core/event.js";
import type { Report } from "../../src/core/report.js";
import {
  AgentCapabilities as Bit,
  AgentToServerSchema,
  ServerToAgentSchema,
  type AgentToServer,
} from "../../src/gen/opamp/v1/opamp_pb.js";
import type { Fields, Logger } from "../../src/lib/log.js";
import { OpampClient, type OpampClientOptions } from "../../src/opamp/client.js";
import type { HostFacts } from "../../src/opamp/description.js";
import { decodeFrame, encodeFrame } from "../../src/opamp/frame.js";
import { ManualClock } from "../support/manual-clock.js";

export const UID = "01900000-0000-7000-8000-000000000001";
export const OTHER_UID = "01900000-0000-7000-8000-000000000002";

export const host: HostFacts = { osType: "linux", architecture: "amd64", hostName: "h1", osDescription: "Debian 12" };

export const ALL_BITS = BigInt(
  Bit.AgentCapabilities_ReportsStatus |
    Bit.AgentCapabilities_AcceptsRemoteConfig |
    Bit.AgentCapabilities_ReportsEffectiveConfig |
    Bit.AgentCapabilities_AcceptsRestartCommand |
    Bit.AgentCapabilities_ReportsHealth |
    Bit.AgentCapabilities_ReportsRemoteConfig |
    Bit.AgentCapabilities_ReportsHeartbeat |
    Bit.AgentCapabilities_ReportsAvailableComponents,
);

const files = [{ name: "", body: new TextEncoder().encode("a: 1"), contentType: "text/yaml" }];
const none: Record<string, string> = {};

export function reportOf(changes: Partial<Report> = {}): Report {
  return {
    instanceUid: UID,
    capabilities: ALL_BITS,
    description: { collector: null, serviceName: "otelcol", serviceVersion: "0.149.0", identifyingOverrides: none, nonIdentifyingOverrides: none },
    health: { healthy: true, status: "StatusOK", lastError: "", startTimeUnixNano: 5n, collector: null, process: "healthy", rollout: "idle", rolloutError: "", losses: 0, lossError: "", storageError: "" },
    effectiveConfig: files,
    remoteConfig: { status: null, error: "", repeat: 0 },
    components: null,
    ...changes,
  };
}

export function unhealthy(lastError: string): Report {
  return reportOf({ health: { healthy: false, status: "down", lastError, startTimeUnixNano: 0n, collector: null, process: "unhealthy", rollout: "idle", rolloutError: "", losses: 0, lossError: "", storageError: "" } });
}

export function decodeMessage(bytes: Uint8Array): AgentToServer {
  return fromBinary(AgentToServerSchema, bytes);
}

/** A message as it stands in a WebSocket message, header included. */
export function decodeFramed(bytes: Uint8Array): AgentToServer {
  const frame = decodeFrame(bytes);
  if (frame.is !== "data") throw new Error(frame.reason);
  return decodeMessage(frame.data);
}

export function serverMessage(init: MessageInitShape<typeof ServerToAgentSchema> = {}): Uint8Array {
  return toBinary(ServerToAgentSchema, create(ServerToAgentSchema, init));
}

export function framed(init: MessageInitShape<typeof ServerToAgentSchema> = {}): Uint8Array {
  return encodeFrame(serverMessage(init));
}

/** The names of the parts that a message carries. */
export function partsOf(message: AgentToServer): string[] {
  const names = ["agentDescription", "health", "effectiveConfig", "remoteConfigStatus", "availableComponents", "agentDisconnect"] as const;
  return names.filter((name) => message[name] !== undefined);
}

export class LogLines implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: Fields }[] = [];
  debug = (message: string, fields: Fields = {}): void => this.#add("debug", message, fields);
  info = (message: string, fields: Fields = {}): void => this.#add("info", message, fields);
  warn = (message: string, fields: Fields = {}): void => this.#add("warn", message, fields);
  error = (message: string, fields: Fields = {}): void => this.#add("error", message, fields);
  named = (): Logger => this;

  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  #add(level: string, message: string, fields: Fields): void {
    this.lines.push({ level, message, fields });
  }
}

export const plainTls: TlsSettings = {
  caFile: null,
  caPem: null,
  certFile: null,
  certPem: null,
  keyFile: null,
  keyPem: null,
  includeSystemCaCertsPool: false,
  insecure: false,
  insecureSkipVerify: false,
  serverNameOverride: null,
  minVersion: "1.2",
  maxVersion: null,
  cipherSuites: [],
  curvePreferences: [],
  reloadIntervalMs: 0,
};

export interface Bench {
  readonly client: OpampClient;
  readonly clock: ManualClock;
  readonly log: LogLines;
  readonly events: Event[];
  /** Resolves with the next event of this kind, also one that came before. */
  readonly event: (is: Event["is"]) => Promise<Event>;
}

/** A client with a clock that is moved by hand and the longest jitter. */
export function clientFor(endpoint: string, options: Partial<OpampClientOptions> = {}): Bench {
  const clock = new ManualClock();
  const log = new LogLines();
  const events: Event[] = [];
  const taken = new Set<Event>();
  let wake: (() => void)[] = [];
  const client = new OpampClient({
    endpoint,
    headers: {},
    tls: plainTls,
    clock,
    random: () => 1,
    log,
    env: {},
    onEvent: (event) => {
      events.push(event);
      for (const run of wake.splice(0)) run();
    },
    ...options,
  });
  const event = async (is: Event["is"]): Promise<Event> => {
    for (;;) {
      const found = events.find((candidate) => candidate.is === is && !taken.has(candidate));
      if (found !== undefined) {
        taken.add(found);
        return found;
      }
      await new Promise<void>((resolve) => (wake = [...wake, resolve]));
    }
  };
  return { client, clock, log, events, event };
}

/** Lets everything that is ready to run do so; no time passes. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something holds that real sockets bring about; the test's own time-out is the limit. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
