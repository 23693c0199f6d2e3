/** What a server knows about one agent: the parts of its messages, newest last, as a page would show them. */
import type { AgentDescription, AgentToServer, ComponentHealth } from "../../../src/gen/opamp/v1/opamp_pb.js";
import { RemoteConfigStatuses } from "../../../src/gen/opamp/v1/opamp_pb.js";

export type StatusName = "unset" | "applying" | "applied" | "failed";

export interface SeenStatus {
  readonly is: StatusName;
  /** Hexadecimal. */
  readonly hash: string;
  readonly error: string;
}

export class SeenAgent {
  readonly messages: AgentToServer[] = [];
  /** Every instance uid that it used, in the order of their first message. */
  readonly uids: string[] = [];
  /** Every status of a remote configuration that was told, without immediate repetitions. */
  readonly statuses: SeenStatus[] = [];
  /** Identifying and other attributes of the newest description, text values only. */
  attributes: ReadonlyMap<string, string> = new Map();
  health: ComponentHealth | null = null;
  /** All files of the newest effective configuration, joined. */
  effectiveConfig = "";
  /** The last message was a goodbye. */
  disconnected = false;

  take(uid: string, message: AgentToServer): void {
    this.messages.push(message);
    if (this.uid !== uid) this.uids.push(uid);
    if (message.agentDescription !== undefined) this.attributes = attributesOf(message.agentDescription);
    if (message.health !== undefined) this.health = message.health;
    if (message.effectiveConfig?.configMap !== undefined) {
      this.effectiveConfig = Object.values(message.effectiveConfig.configMap.configMap)
        .map((file) => new TextDecoder().decode(file.body))
        .join("\n");
    }
    if (message.remoteConfigStatus !== undefined) this.#takeStatus(message.remoteConfigStatus);
    this.disconnected = message.agentDisconnect !== undefined;
  }

  get uid(): string {
    return this.uids.at(-1) ?? "";
  }

  get healthy(): boolean {
    return this.health?.healthy === true;
  }

  get status(): SeenStatus {
    return this.statuses.at(-1) ?? { is: "unset", hash: "", error: "" };
  }

  /** The course of one offer, as it was told. */
  courseOf(hash: string): StatusName[] {
    return this.statuses.filter((status) => status.hash === hash).map((status) => status.is);
  }

  /** For the message of a test that waited in vain. */
  summary(): string {
    const { error, hash, is } = this.status;
    return JSON.stringify({
      messages: this.messages.length,
      uid: this.uid,
      healthy: this.healthy,
      lastError: this.health?.lastError ?? "",
      status: `${is} ${hash.slice(0, 8)} ${error}`.trim(),
      disconnected: this.disconnected,
    });
  }

  #takeStatus(told: NonNullable<AgentToServer["remoteConfigStatus"]>): void {
    const status = { is: nameOf(told.status), hash: Buffer.from(told.lastRemoteConfigHash).toString("hex"), error: told.errorMessage };
    const last = this.statuses.at(-1);
    if (last?.is !== status.is || last.hash !== status.hash || last.error !== status.error) this.statuses.push(status);
  }
}

function nameOf(status: RemoteConfigStatuses): StatusName {
  switch (status) {
    case RemoteConfigStatuses.RemoteConfigStatuses_APPLIED:
      return "applied";
    case RemoteConfigStatuses.RemoteConfigStatuses_APPLYING:
      return "applying";
    case RemoteConfigStatuses.RemoteConfigStatuses_FAILED:
      return "failed";
    case RemoteConfigStatuses.RemoteConfigStatuses_UNSET:
      return "unset";
  }
}

function attributesOf(description: AgentDescription): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const { key, value } of [...description.identifyingAttributes, ...description.nonIdentifyingAttributes]) {
    if (value?.value.case === "stringValue") attributes.set(key, value.value.value);
  }
  return attributes;
}
