/**
 * The report, cut into the sub-messages of AgentToServer that may be left out while they do not change. A part is built
 * and digested again only when its source is another value than before, so that an unchanged report costs nothing.
 */
import { create } from "@bufbuild/protobuf";
import type { Report, ReportedHealth, ReportedStatus } from "../core/report.js";
import type { EffectiveFile } from "../core/values.js";
import {
  AgentConfigMapSchema,
  AgentConfigObjectSchema,
  AvailableComponentsSchema,
  ComponentHealthSchema,
  EffectiveConfigSchema,
  RemoteConfigStatuses,
  RemoteConfigStatusSchema,
  type AgentToServer,
  type ComponentHealth,
  type EffectiveConfig,
  type RemoteConfigStatus,
} from "../gen/opamp/v1/opamp_pb.js";
import { describeAgent, type HostFacts } from "./description.js";
import { digestOfComponents, digestOfDescription, digestOfFiles, digestOfHealth } from "./digest.js";

export const PART_NAMES = ["description", "health", "effectiveConfig", "remoteConfigStatus", "components"] as const;
export type PartName = (typeof PART_NAMES)[number];

export interface Part {
  /** Equal digests mean that the server would learn nothing new. */
  readonly digest: string;
  /** Puts the part into a message. `full` makes a difference for components only: the map instead of its hash alone. */
  readonly put: (message: AgentToServer, full: boolean) => void;
}

export type Parts = Readonly<Record<PartName, Part | null>>;

export interface Cut {
  readonly report: Report;
  readonly parts: Parts;
}

/** @param before the cut of the report before this one: its parts are kept where their source is the same. */
export function cutReport(report: Report, before: Cut | null, unixNano: bigint, host: () => HostFacts): Cut {
  const sameUid = before?.report.instanceUid === report.instanceUid;
  const keep = (name: PartName, same: boolean, build: () => Part | null): Part | null =>
    before !== null && same ? before.parts[name] : build();
  const parts: Parts = {
    description: keep("description", sameUid && sameFields(before.report.description, report.description), () =>
      descriptionPart(report, host),
    ),
    health: keep("health", sameFields(before?.report.health, report.health), () => healthPart(report.health, unixNano)),
    effectiveConfig: keep("effectiveConfig", before?.report.effectiveConfig === report.effectiveConfig, () =>
      report.effectiveConfig === null ? null : filesPart(report.effectiveConfig),
    ),
    remoteConfigStatus: keep("remoteConfigStatus", sameFields(before?.report.remoteConfig, report.remoteConfig), () =>
      statusPart(report.remoteConfig),
    ),
    components: keep("components", before?.report.components === report.components, () => componentsPart(report)),
  };
  return { report, parts };
}

/** Compares field by field and by reference: what the core did not touch is the same value. */
function sameFields<T extends object>(one: T | undefined, other: T): boolean {
  if (one === undefined) return false;
  return (Object.keys(other) as (keyof T)[]).every((key) => Object.is(one[key], other[key]));
}

function descriptionPart(report: Report, host: () => HostFacts): Part {
  const description = describeAgent(report.description, report.instanceUid, host);
  return {
    digest: digestOfDescription(description),
    put: (message) => {
      message.agentDescription = description;
    },
  };
}

/** How the supervisor itself is doing, beside the Collector's components. */
function supervisorHealth({ losses, lossError, process, rollout, rolloutError, storageError }: ReportedHealth, statusTimeUnixNano: bigint): ComponentHealth {
  const part = (healthy: boolean, status: string, lastError = ""): ComponentHealth =>
    create(ComponentHealthSchema, { healthy, status, lastError, statusTimeUnixNano });
  const canStore = storageError === "";
  const isHeld = process === "held";
  const trouble = canStore ? rolloutError : "the storage directory cannot be written";
  const whole = part(trouble === "" && !isHeld, "running", trouble);
  whole.componentHealthMap = {
    process: part(!isHeld, process),
    rollout: part(rolloutError === "", rollout, rolloutError),
    connection: part(true, losses === 0 ? "connected" : `connected again, lost ${losses} times`, lossError),
    storage: part(canStore, canStore ? "working" : "failing", storageError),
  };
  return whole;
}

function healthPart(reported: ReportedHealth, unixNano: bigint): Part {
  const health: ComponentHealth = create(ComponentHealthSchema, {
    healthy: reported.healthy,
    status: reported.status,
    lastError: reported.lastError,
    startTimeUnixNano: reported.startTimeUnixNano,
    statusTimeUnixNano: unixNano,
    componentHealthMap: { ...reported.collector?.componentHealthMap, supervisor: supervisorHealth(reported, unixNano) },
    attributes: reported.collector?.attributes ?? [],
  });
  return {
    digest: digestOfHealth(health),
    put: (message) => {
      message.health = health;
    },
  };
}

function filesPart(files: readonly EffectiveFile[]): Part {
  const objects = files.map(({ name, body, contentType }) => [name, create(AgentConfigObjectSchema, { body, contentType })]);
  const configMap = create(AgentConfigMapSchema, { configMap: Object.fromEntries(objects) as Record<string, never> });
  const effectiveConfig: EffectiveConfig = create(EffectiveConfigSchema, { configMap });
  return {
    digest: digestOfFiles(files),
    put: (message) => {
      message.effectiveConfig = effectiveConfig;
    },
  };
}

/** "repeat" is part of the digest: a known status that is to be told again counts as new. */
function statusPart({ error, repeat, status }: ReportedStatus): Part {
  const told: RemoteConfigStatus = create(RemoteConfigStatusSchema, {
    lastRemoteConfigHash: Uint8Array.from(Buffer.from(status?.hash ?? "", "hex")),
    status: status === null ? RemoteConfigStatuses.RemoteConfigStatuses_UNSET : STATUS_NUMBERS[status.is],
    errorMessage: error,
  });
  return {
    digest: JSON.stringify([status?.hash, status?.is, error, repeat]),
    put: (message) => {
      message.remoteConfigStatus = told;
    },
  };
}

const STATUS_NUMBERS = {
  applied: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  applying: RemoteConfigStatuses.RemoteConfigStatuses_APPLYING,
  failed: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
} as const;

function componentsPart({ components }: Report): Part | null {
  if (components === null) return null;
  return {
    digest: digestOfComponents(components),
    put: (message, full) => {
      message.availableComponents = full ? components : create(AvailableComponentsSchema, { hash: components.hash });
    },
  };
}
