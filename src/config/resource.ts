/**
 * `service.telemetry.resource`, which Collectors know in two forms: attributes inline (`resource: {name: value}`) and as a
 * list (`resource: {attributes: [{name, value}]}`). Layers may use either; they are gathered by name and written in the
 * one form that this Collector reads, never in both.
 */
import { SupervisorError } from "../lib/error.js";
import { kindOf, list, map, NULL, scalarText, text, withEntry, type ConfigMap, type ConfigNode } from "./yaml-node.js";
import { isNullSource, isUndoubtedText } from "./yaml-scalar.js";

export interface Resource {
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** `schema_url`, `detectors` and the like. */
  readonly others: ReadonlyMap<string, ConfigNode>;
}

export interface Attribute {
  readonly value: ConfigNode;
  /** The item as written in a list, with keys such as `type`; null for an inline one. */
  readonly item: ConfigMap | null;
}

export const NO_RESOURCE: Resource = { attributes: new Map(), others: new Map() };

/** Names of the list form. Whatever else stands there is an attribute written inline. */
const OTHERS: ReadonlySet<string> = new Set(["schema_url", "detectors", "detection/development", "attributes_list"]);

/** The list form, be the list empty: in a remote file it clears what lower layers said. */
export function declaresAttributes(node: ConfigNode | undefined): boolean {
  return node?.is === "map" && node.entries.get("attributes")?.is === "list";
}

/** @throws SupervisorError "config-refused" for a list item without a name. */
export function addResource(resource: Resource, node: ConfigNode | undefined, name: string): Resource {
  if (node?.is !== "map") return resource;
  const attributes = new Map(resource.attributes);
  const others = new Map(resource.others);
  for (const [key, value] of node.entries) {
    if (key === "attributes" && value.is === "list") value.items.forEach((item, index) => addItem(attributes, item, `${name}: ${PATH}.attributes[${index}]`));
    else if (key === "attributes" && isNull(value)) continue;
    else if (OTHERS.has(key)) others.set(key, value);
    else attributes.set(key, { value, item: null });
  }
  return { attributes, others };
}

export const PATH = "service.telemetry.resource";

function addItem(attributes: Map<string, Attribute>, item: ConfigNode, where: string): void {
  if (item.is !== "map") throw new SupervisorError("config-refused", `${where} must be a mapping with name and value, but is ${kindOf(item)}`);
  const name = item.entries.get("name");
  const key = name === undefined || isNull(name) ? null : scalarText(name);
  if (key === null) throw new SupervisorError("config-refused", `${where} has no name`);
  attributes.set(key, { value: item.entries.get("value") ?? NULL, item });
}

export function withAttribute(resource: Resource, name: string, value: string): Resource {
  return { ...resource, attributes: new Map(resource.attributes).set(name, { value: text(value), item: null }) };
}

export function printResource(resource: Resource, form: "inline" | "list"): ConfigMap {
  const base: ConfigMap = { is: "map", entries: resource.others };
  if (form === "list") return withEntry(base, "attributes", list([...resource.attributes].flatMap(([name, attribute]) => asItem(name, attribute))));
  const entries = new Map(resource.others);
  for (const [name, { value, item }] of resource.attributes) entries.set(name, item === null ? value : asText(value));
  return { is: "map", entries };
}

/** Inline, a null suppresses an attribute that the Collector sets itself; a list cannot say that. */
function asItem(name: string, { value, item }: Attribute): ConfigMap[] {
  if (item !== null) return [item];
  return isNull(value) ? [] : [map({ name: text(name), value })];
}

/** A list may hold a number or a boolean as value, inline all of them are texts. */
function asText(value: ConfigNode): ConfigNode {
  const doubtful = value.is === "plain" && !isNull(value) && !isUndoubtedText(value.source);
  return doubtful ? text(value.source) : value;
}

function isNull(node: ConfigNode): boolean {
  return node.is === "plain" && isNullSource(node.source);
}
