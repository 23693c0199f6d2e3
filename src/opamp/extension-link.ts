/** One connection of the Collector's extension: its messages become events, and each gets an answer. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { RawData, WebSocket } from "ws";
import type { Event, Source } from "../core/event.js";
import type { AvailableComponents, EffectiveFile } from "../core/values.js";
import {
  AgentToServerSchema,
  ServerCapabilities,
  ServerToAgentFlags,
  ServerToAgentSchema,
  type AgentToServer,
  type EffectiveConfig,
} from "../gen/opamp/v1/opamp_pb.js";
import type { Clock } from "../lib/clock.js";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";
import { Allowance } from "./allowance.js";
import { LinkHealth } from "./extension-health.js";
import { FULL_STATE_BURST, FULL_STATE_MS, LOCAL_MALFORMED_MAX } from "./extension-limits.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { uidFromBytes } from "./uid.js";
import { scanFields } from "./wire-scan.js";

const HEALTH_FIELD = 5;
const CAPABILITIES = BigInt(ServerCapabilities.ServerCapabilities_AcceptsStatus | ServerCapabilities.ServerCapabilities_AcceptsEffectiveConfig);

/** Lists of components by their hash: a reload or a crash restart need not send the same one again. */
export interface ComponentsMemory {
  last: AvailableComponents | null;
}

export interface LinkOptions {
  readonly socket: WebSocket;
  readonly source: Source;
  /** The identity that the Collector was given, null where that is not known. */
  readonly instanceUid: string | null;
  readonly components: ComponentsMemory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: (event: Event) => void;
}

export class ExtensionLink {
  readonly #options: LinkOptions;
  readonly #health: LinkHealth;
  readonly #fullState = new Allowance(FULL_STATE_BURST, FULL_STATE_MS);
  #sequence: bigint | null = null;
  #askedForComponents = false;
  #namedStranger = false;
  #malformed = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    const { clock, onEvent, socket, source } = options;
    this.#options = options;
    this.#health = new LinkHealth({
      clock,
      onNews: (news) => onEvent({ is: "collector-health", ...news, ...source }),
      onMalformed: (error) => this.#refuse(messageOf(error)),
    });
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("close", () => this.#end());
    socket.on("error", (error) => options.log.warn("Link of the Collector's extension fails", { ...source, error: messageOf(error) }));
  }

  get source(): Source {
    return this.#options.source;
  }

  /** At once: a half-open socket would not answer a goodbye. Nothing more is heard of it. */
  close(): void {
    this.#end();
    this.#options.socket.terminate();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#health.close();
    this.#options.log.debug("Link of the Collector's extension has ended", { ...this.source });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    if (!isBinary || !Buffer.isBuffer(data)) return this.#refuse("it is text, OpAMP messages are binary");
    const frame = decodeFrame(data);
    if (frame.is === "malformed") return this.#refuse(frame.reason);
    const parts = separateHealth(frame.data);
    if (parts === null) return this.#refuse("it is no AgentToServer");
    let message: AgentToServer;
    try {
      message = fromBinary(AgentToServerSchema, parts.rest);
    } catch (error) {
      return this.#refuse(messageOf(error));
    }
    this.#malformed = 0;
    this.#read(message);
    if (parts.health !== null && !this.#health.receive(parts.health)) this.#refuse("its health is malformed");
  }

  /** Health comes last, so that whoever hears that it is healthy knows who it is. */
  #read(message: AgentToServer): void {
    const { onEvent } = this.#options;
    const { agentDescription, effectiveConfig } = message;
    this.#checkIdentity(message.instanceUid);
    if (agentDescription !== undefined) onEvent({ is: "collector-described", description: agentDescription, ...this.source });
    const askComponents = message.availableComponents !== undefined && this.#readComponents(message.availableComponents);
    const files = effectiveConfig === undefined ? [] : filesOf(effectiveConfig);
    if (files.length > 0) onEvent({ is: "collector-config-reported", files, ...this.source });
    this.#answer(message, askComponents, this.#missesSomething(message));
  }

  /** True: only a hash came that is not known, so the list has to be asked for, once. */
  #readComponents(components: AvailableComponents): boolean {
    const { components: memory, onEvent } = this.#options;
    if (Object.keys(components.components).length > 0) {
      // The hash is a view into the whole message, which may hold a large configuration.
      components.hash = components.hash.slice();
      memory.last = components;
      onEvent({ is: "collector-components", components, ...this.source });
      return false;
    }
    if (memory.last !== null && components.hash.length > 0 && Buffer.compare(memory.last.hash, components.hash) === 0) {
      onEvent({ is: "collector-components", components: memory.last, ...this.source });
      return false;
    }
    const first = !this.#askedForComponents;
    this.#askedForComponents = true;
    return first;
  }

  /** A gap in the sequence, or a link that begins without saying who it is. */
  #missesSomething({ agentDescription, sequenceNum }: AgentToServer): boolean {
    const before = this.#sequence;
    this.#sequence = sequenceNum;
    const misses = before === null ? agentDescription === undefined : sequenceNum !== before + 1n;
    return misses && agentDescription === undefined && this.#fullState.take(this.#options.clock.now());
  }

  #checkIdentity(bytes: Uint8Array): void {
    const { instanceUid: expected, log } = this.#options;
    const reported = uidFromBytes(bytes);
    if (expected === null || reported === expected || this.#namedStranger) return;
    this.#namedStranger = true;
    log.error("Collector reports under another instance uid than it was given", { ...this.source, expected, reported });
  }

  #answer({ instanceUid }: AgentToServer, askComponents: boolean, askFullState: boolean): void {
    const { log, socket } = this.#options;
    const components = askComponents ? ServerToAgentFlags.ServerToAgentFlags_ReportAvailableComponents : 0;
    const fullState = askFullState ? ServerToAgentFlags.ServerToAgentFlags_ReportFullState : 0;
    const flags = BigInt(components | fullState);
    if (askFullState) log.debug("Asking the Collector's extension for its full state", { ...this.source });
    socket.send(encodeFrame(toBinary(ServerToAgentSchema, create(ServerToAgentSchema, { instanceUid, flags, capabilities: CAPABILITIES }))), () => {
      // A link that ends while it is answered is told by its close.
    });
  }

  #refuse(reason: string): void {
    this.#malformed += 1;
    this.#options.log.warn("Malformed message of the Collector's extension", { ...this.source, reason });
    if (this.#malformed >= LOCAL_MALFORMED_MAX) this.close();
  }
}

/** The health tree apart from the rest, since it may be large and is seldom decoded. Null: no protobuf message. */
function separateHealth(message: Uint8Array): { health: Uint8Array | null; rest: Uint8Array } | null {
  const fields = scanFields(message);
  if (fields === null) return null;
  const health = fields.findLast(({ number }) => number === HEALTH_FIELD)?.content ?? null;
  const rest = health === null ? message : Buffer.concat(fields.filter(({ number }) => number !== HEALTH_FIELD).map(({ whole }) => whole));
  return { health, rest };
}

function filesOf({ configMap }: EffectiveConfig): EffectiveFile[] {
  return Object.entries(configMap?.configMap ?? {}).map(([name, { body, contentType }]) => ({ name, body, contentType }));
}
