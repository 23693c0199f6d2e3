/**
 * The example OpAMP server: OpAMP on one port, a web page with a JSON API on another, a sink for the agents' own
 * telemetry on a third. It is a program to try the supervisor with and, started on port 0, the fake server of the tests.
 */
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { ServerCapabilities } from "../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock, type Clock } from "../../src/lib/clock.js";
import { SERVER_CAPABILITIES } from "./answer.js";
import type { ApiContext } from "./api.js";
import { BadModes } from "./bad-mode.js";
import { ensureCertificates, type ServerCertificates } from "./certificates.js";
import { ConfigStore } from "./config-store.js";
import { Fleet, type Liveness } from "./fleet.js";
import { LiveEvents } from "./live-events.js";
import { OpampListener } from "./opamp-listener.js";
import { OtlpSink } from "./otlp-sink.js";
import { PageServer } from "./page-server.js";

export interface OpampServerOptions {
  /** Where certificates and saved configurations live; null: nothing is kept, and there is no TLS. */
  readonly dataDirectory: string | null;
  /** Default true where there is a data directory. */
  readonly tls?: boolean;
  /** For OpAMP; default 0.0.0.0. */
  readonly host?: string;
  /** 0: any free one; default 4320. */
  readonly opampPort?: number;
  readonly path?: string;
  /** Default: as `host`. There is no login on the page. */
  readonly pageHost?: string;
  /** Default 4321; null: no page. */
  readonly pagePort?: number | null;
  /** On 127.0.0.1; default 4318; null: no sink. */
  readonly otlpPort?: number | null;
  /** The interval at which agents are expected to be heard; default 30 s. */
  readonly heartbeatMs?: number;
  readonly pingMs?: number;
  /** For both ways, after decompression; default 64 MiB. */
  readonly messageBytesMax?: number;
  /** Bits of ServerCapabilities. */
  readonly capabilities?: bigint;
  /** Negotiates permessage-deflate; default false. */
  readonly compresses?: boolean;
  readonly clock?: Clock;
  /** Sees each OpAMP request and upgrade, for its headers. */
  readonly onRequest?: (request: IncomingMessage) => void;
}

export interface OpampServer {
  /** `wss://127.0.0.1:4320/v1/opamp`, or `ws:` without TLS. */
  readonly webSocketUrl: string;
  /** The same for plain HTTP. */
  readonly httpUrl: string;
  readonly pageUrl: string | null;
  readonly otlpUrl: string | null;
  /** What clients may trust; null without TLS. */
  readonly caFile: string | null;
  readonly caPem: string | null;
  readonly fleet: Fleet;
  readonly modes: BadModes;
  /** Things at the start that a person should know. */
  readonly warnings: readonly string[];
  /** Cuts all connections of agents, without a Close frame. */
  dropConnections(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export const OPAMP_PORT = 4320;
export const PAGE_PORT = 4321;
export const OTLP_PORT = 4318;
const HOST = "0.0.0.0";
const PATH = "/v1/opamp";
const HEARTBEAT_MS = 30_000;
const PING_MS = 30_000;
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
const STALE_CHECK_MS = 1_000;

/** Rejects with a `SupervisorError` that names the port or directory which cannot be used. */
export async function startOpampServer(options: OpampServerOptions): Promise<OpampServer> {
  const { dataDirectory, clock = systemClock, heartbeatMs = HEARTBEAT_MS } = options;
  const tls = dataDirectory !== null && (options.tls ?? true);
  const certificates = tls ? await ensureCertificates(dataDirectory, Number(clock.unixNano() / 1_000_000n)) : null;
  const configs = new ConfigStore(dataDirectory === null ? null : join(dataDirectory, "configs"));
  const urls = { opamp: "", page: null as string | null, otlp: null as string | null };
  const fleet = new Fleet({ clock, configs, capabilities: capabilitiesOf(options), heartbeatMs, otlpUrl: () => urls.otlp });
  const modes = new BadModes();
  const events = new LiveEvents(clock);
  fleet.on((news) => {
    if (news.is === "changed") events.changed(news.uid, news.parts);
  });
  const sink = makeSink(options, fleet, events);
  const listener = makeListener({ ...options, clock }, fleet, modes, certificates);
  const dropConnections = (): void => listener.cutAll();
  const page = makePage(options, { fleet, modes, sink, heartbeatMs, dropConnections, urls: () => urls }, events);
  const stopWatching = watchLiveness(fleet, clock, events);
  let closing: Promise<unknown> | null = null;
  const close = async (): Promise<void> => {
    stopWatching();
    events.close();
    closing ??= Promise.all([listener.close(), page?.close(), sink?.close()]);
    await closing;
  };
  try {
    const { host = HOST, path = PATH } = options;
    urls.opamp = `${tls ? "wss" : "ws"}://${hostInUrl(host)}:${(await listener.listen()).port}${path}`;
    if (sink !== null) urls.otlp = `http://127.0.0.1:${(await sink.listen()).port}`;
    if (page !== null) urls.page = `http://${hostInUrl(options.pageHost ?? host)}:${(await page.listen()).port}/`;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    webSocketUrl: urls.opamp,
    httpUrl: urls.opamp.replace(/^ws/, "http"),
    pageUrl: urls.page,
    otlpUrl: urls.otlp,
    caFile: certificates?.caFile ?? null,
    caPem: certificates?.caPem ?? null,
    fleet,
    modes,
    warnings: configs.damaged.map((text) => `a saved configuration cannot be read and is left out: ${text}`),
    dropConnections,
    close,
  };
}

function capabilitiesOf(options: OpampServerOptions): bigint {
  const offersSettings = options.otlpPort === null ? 0n : BigInt(ServerCapabilities.ServerCapabilities_OffersConnectionSettings);
  return options.capabilities ?? SERVER_CAPABILITIES | offersSettings;
}

function makeSink(options: OpampServerOptions, fleet: Fleet, events: LiveEvents): OtlpSink | null {
  const { otlpPort = OTLP_PORT } = options;
  if (otlpPort === null) return null;
  const onTelemetry = (instanceId: string): void => events.changed(instanceId, ["telemetry"]);
  return new OtlpSink({ host: "127.0.0.1", port: otlpPort, nowMs: () => fleet.nowMs(), onTelemetry });
}

function makeListener(
  options: OpampServerOptions & { readonly clock: Clock },
  fleet: Fleet,
  modes: BadModes,
  certificates: ServerCertificates | null,
): OpampListener {
  return new OpampListener({
    clock: options.clock,
    fleet,
    modes,
    certificates,
    host: options.host ?? HOST,
    port: options.opampPort ?? OPAMP_PORT,
    path: options.path ?? PATH,
    messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
    compresses: options.compresses ?? false,
    pingMs: options.pingMs ?? PING_MS,
    onRequest: options.onRequest ?? (() => undefined),
  });
}

function makePage(options: OpampServerOptions, api: ApiContext, events: LiveEvents): PageServer | null {
  const { pagePort = PAGE_PORT } = options;
  return pagePort === null ? null : new PageServer({ host: options.pageHost ?? options.host ?? HOST, port: pagePort, api, events });
}

/** Nothing arrives when an agent falls silent, so this is looked at by time. */
function watchLiveness(fleet: Fleet, clock: Clock, events: LiveEvents): () => void {
  const last = new Map<string, Liveness>();
  let cancel: () => void = () => undefined;
  const look = (): void => {
    fleet.noticeSilence();
    for (const agent of fleet.agents()) {
      const now = fleet.liveness(agent);
      if ((last.get(agent.uid) ?? now) !== now) events.changed(agent.uid, ["link"]);
      last.set(agent.uid, now);
    }
    cancel = clock.after(STALE_CHECK_MS, look);
  };
  look();
  return () => cancel();
}

/** An address that means "all of them" is reached as the loopback one. */
function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

