/**
 * `collector.json`: what one Collector executable and its extension said of themselves in the last run, so that the next
 * first message is complete without a throw-away run. Losing it costs a question to the binary, nothing more.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ExecutableFacts, RememberedFacts } from "../core/values.js";
import { AgentDescriptionSchema, AvailableComponentsSchema } from "../gen/opamp/v1/opamp_pb.js";

export const COLLECTOR_FACTS_BYTES_MAX = 16 * 1024 * 1024;
const FORMAT_VERSION = 1;

/** The protobuf messages are kept as base64: JSON alone would lose their unknown fields. */
export function renderCollectorFacts({ executable, description, components }: RememberedFacts): string {
  const content = {
    version: FORMAT_VERSION,
    executable,
    description: description === null ? null : base64(toBinary(AgentDescriptionSchema, description)),
    components: components === null ? null : base64(toBinary(AvailableComponentsSchema, components)),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Throws for anything that makes no sense; unknown fields are fine. */
export function parseCollectorFacts(bytes: Uint8Array): RememberedFacts {
  const root: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!isFields(root) || typeof root["version"] !== "number") throw new Error("it is not an object with a version");
  const description = bytesOf(root["description"]);
  const components = bytesOf(root["components"]);
  return {
    executable: executableOf(root["executable"]),
    description: description === null ? null : fromBinary(AgentDescriptionSchema, description),
    components: components === null ? null : fromBinary(AvailableComponentsSchema, components),
  };
}

function executableOf(value: unknown): ExecutableFacts {
  if (!isFields(value)) throw new Error("executable is not an object");
  const { identity, name, version, allowsNoPipelines, resourceForm } = value;
  if (typeof identity !== "string" || typeof name !== "string" || typeof version !== "string") {
    throw new Error("executable lacks its identity, name or version");
  }
  if (typeof allowsNoPipelines !== "boolean") throw new Error("executable.allowsNoPipelines is not true or false");
  if (resourceForm !== "inline" && resourceForm !== "list") throw new Error("executable.resourceForm is unknown");
  return { identity, name, version, allowsNoPipelines, resourceForm };
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value === null) return null;
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new Error("a message is not base64");
  return Buffer.from(value, "base64");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
