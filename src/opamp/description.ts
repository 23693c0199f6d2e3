/**
 * The AgentDescription that the server gets: the Collector's own words once they are known, until then what its opamp
 * extension is going to say, so that the description usually leaves only once. Settings override both.
 */
import { hostname, platform } from "node:os";
import { create } from "@bufbuild/protobuf";
import type { ReportedDescription } from "../core/report.js";
import { AnyValueSchema, KeyValueSchema, type KeyValue } from "../gen/opamp/v1/anyvalue_pb.js";
import { AgentDescriptionSchema, type AgentDescription } from "../gen/opamp/v1/opamp_pb.js";
import { describeOperatingSystem } from "./os-description.js";

export interface HostFacts {
  /** Go's names: linux, darwin, windows. */
  readonly osType: string;
  /** Go's names: amd64, arm64. */
  readonly architecture: string;
  readonly hostName: string;
  readonly osDescription: string;
}

/** Attributes stand in the order of their keys, as the Go supervisor sends them. */
export function describeAgent(reported: ReportedDescription, instanceUid: string, host: () => HostFacts): AgentDescription {
  const { collector, identifyingOverrides, nonIdentifyingOverrides } = reported;
  const identifying = collector === null ? ownIdentity(reported) : byKey(collector.identifyingAttributes);
  const nonIdentifying = collector === null ? ownHost(host()) : byKey(collector.nonIdentifyingAttributes);
  // The Collector still says its old uid while it is restarted for a new one.
  identifying.set("service.instance.id", text("service.instance.id", instanceUid));
  return create(AgentDescriptionSchema, {
    identifyingAttributes: sorted(identifying, identifyingOverrides),
    nonIdentifyingAttributes: sorted(nonIdentifying, nonIdentifyingOverrides),
  });
}

/** Asked once, when it is needed: host name, system and processor as Go names them. */
export function hostFacts(): HostFacts {
  return {
    osType: platform() === "win32" ? "windows" : platform(),
    architecture: goArchitecture(process.arch),
    hostName: hostname(),
    osDescription: describeOperatingSystem(),
  };
}

function goArchitecture(architecture: string): string {
  if (architecture === "x64") return "amd64";
  return architecture === "ia32" ? "386" : architecture;
}

function ownIdentity(reported: ReportedDescription): Map<string, KeyValue> {
  return texts({ "service.name": reported.serviceName, "service.version": reported.serviceVersion });
}

function ownHost(host: HostFacts): Map<string, KeyValue> {
  return texts({
    "host.arch": host.architecture,
    "host.name": host.hostName,
    "os.description": host.osDescription,
    "os.type": host.osType,
  });
}

/** What is not known is left out: an empty name would be believed. */
function texts(values: Readonly<Record<string, string>>): Map<string, KeyValue> {
  const known = Object.entries(values).filter(([, value]) => value !== "");
  return new Map(known.map(([key, value]) => [key, text(key, value)]));
}

function byKey(attributes: readonly KeyValue[]): Map<string, KeyValue> {
  return new Map(attributes.map((attribute) => [attribute.key, attribute]));
}

function sorted(attributes: Map<string, KeyValue>, overrides: Readonly<Record<string, string>>): KeyValue[] {
  for (const [key, value] of Object.entries(overrides)) attributes.set(key, text(key, value));
  return [...attributes.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}

function text(key: string, value: string): KeyValue {
  return create(KeyValueSchema, { key, value: create(AnyValueSchema, { value: { case: "stringValue", value } }) });
}
