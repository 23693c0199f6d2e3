/**
 * The extensions of the layers, and the guard of our own one. No layer may lose, redirect or double the opamp extension:
 * a Collector that answers to another server, or to nobody, is a host cut off.
 */
import { SupervisorError } from "../lib/error.js";
import { kindOf, scalarText, text, type ConfigMap, type ConfigNode } from "./yaml-node.js";
import { isNullSource } from "./yaml-scalar.js";

export const OPAMP = "opamp";

/** `service.extensions` of all layers so far: each once, in first-seen order. */
export type Extensions = ReadonlyMap<string, ConfigNode>;

/** @param name how the layer is called in messages. */
export function addExtensions(extensions: Extensions, node: ConfigNode | undefined, name: string): Extensions {
  if (node === undefined || (node.is === "plain" && isNullSource(node.source))) return extensions;
  if (node.is !== "list") {
    throw new SupervisorError("config-refused", `${name}: service.extensions must be a list, since the supervisor adds its own; it is ${kindOf(node)}`);
  }
  const union = new Map(extensions);
  for (const item of node.items) {
    const id = idOf(scalarText(item) ?? "");
    if (isSecondOpamp(id)) throw secondOpamp(name, "service.extensions", id);
    // Something that is no id at all is kept, so that the Collector's validation complains in its own words.
    const key = id === "" ? `#${union.size}` : id;
    if (!union.has(key)) union.set(key, id === OPAMP ? text(OPAMP) : item);
  }
  return union;
}

/** The layer without a definition of its own of our extension; `overrode` tells whether it had one. */
export function guardDefinitions(layer: ConfigMap, name: string): { readonly layer: ConfigMap; readonly overrode: boolean } {
  const defined = layer.entries.get("extensions");
  if (defined?.is !== "map") return { layer, overrode: false };
  const kept = new Map<string, ConfigNode>();
  for (const [key, value] of defined.entries) {
    const id = idOf(key);
    if (isSecondOpamp(id)) throw secondOpamp(name, "extensions", id);
    if (id !== OPAMP) kept.set(key, value);
  }
  if (kept.size === defined.entries.size) return { layer, overrode: false };
  return { layer: { is: "map", entries: new Map(layer.entries).set("extensions", { is: "map", entries: kept }) }, overrode: true };
}

/** The Collector trims blanks around type and name. */
function idOf(written: string): string {
  const slash = written.indexOf("/");
  if (slash < 0) return written.trim();
  return `${written.slice(0, slash).trim()}/${written.slice(slash + 1).trim()}`;
}

function isSecondOpamp(id: string): boolean {
  return id.startsWith(`${OPAMP}/`);
}

function secondOpamp(name: string, path: string, id: string): SupervisorError {
  const remedy = "the supervisor connects the Collector by its own opamp extension; remove this one, and name the server in server.endpoint of the supervisor";
  return new SupervisorError("config-refused", `${name}: ${path} has a second opamp extension, ${JSON.stringify(id.slice(0, 100))}; ${remedy}`);
}
