/**
 * What is compared to find out whether something changed. Status times do not count (AMB-22), and neither does the order
 * of a map, which Go shuffles with each message.
 */
import { createHash, type Hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { EffectiveFile } from "../core/values.js";
import { KeyValueListSchema, type KeyValue } from "../gen/opamp/v1/anyvalue_pb.js";
import type { AgentDescription, AvailableComponents, ComponentHealth } from "../gen/opamp/v1/opamp_pb.js";
import { AgentDescriptionSchema, AvailableComponentsSchema } from "../gen/opamp/v1/opamp_pb.js";

export function digestOfDescription(description: AgentDescription): string {
  return digest((hash) => hash.update(toBinary(AgentDescriptionSchema, description)));
}

export function digestOfFiles(files: readonly EffectiveFile[]): string {
  return digest((hash) => {
    for (const file of [...files].sort((one, other) => (one.name < other.name ? -1 : 1))) {
      hash.update(JSON.stringify([file.name, file.contentType, file.body.length]));
      hash.update(file.body);
    }
  });
}

/** The hash that the Collector sends along is enough (AC-06); only without one the whole map is looked at. */
export function digestOfComponents(components: AvailableComponents): string {
  if (components.hash.length > 0) return Buffer.from(components.hash).toString("hex");
  return digest((hash) => hash.update(toBinary(AvailableComponentsSchema, components)));
}

export function digestOfHealth(health: ComponentHealth): string {
  return digest((hash) => {
    addHealth(hash, health);
  });
}

/** Recursion is bounded by the decoder that made the tree. */
function addHealth(hash: Hash, health: ComponentHealth): void {
  const { healthy, startTimeUnixNano, lastError, status, attributes, componentHealthMap } = health;
  const names = Object.keys(componentHealthMap).sort();
  hash.update(JSON.stringify([healthy, startTimeUnixNano.toString(), lastError, status, names]));
  if (attributes.length > 0) hash.update(encodeAttributes(attributes));
  for (const name of names) {
    const child = componentHealthMap[name];
    if (child !== undefined) addHealth(hash, child);
  }
}

function encodeAttributes(attributes: readonly KeyValue[]): Uint8Array {
  return toBinary(KeyValueListSchema, create(KeyValueListSchema, { values: [...attributes] }));
}

function digest(feed: (hash: Hash) => void): string {
  const hash = createHash("sha256");
  feed(hash);
  return hash.digest("base64");
}
