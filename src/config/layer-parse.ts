/** A layer as a tree, checked as far as one layer alone can be checked. */
import { SupervisorError } from "../lib/error.js";
import type { Layer } from "./compose-job.js";
import { guardDefinitions } from "./extensions.js";
import { kindOf, nodeAt, type ConfigMap, type ConfigNode } from "./yaml-node.js";
import { readYaml } from "./yaml-read.js";
import { isNullSource } from "./yaml-scalar.js";

export interface ParsedLayer {
  readonly is: Layer["is"];
  readonly name: string;
  readonly tree: ConfigMap;
}

type FileLayer = Extract<Layer, { text: string }>;

/**
 * Null for an empty file, and for a broken local one, which costs a warning.
 * @throws SupervisorError "config-refused" for a broken remote file, and for a layer of either kind that the supervisor
 *   could not put its own part into.
 */
export function parseLayer(layer: FileLayer, warn: (warning: string) => void): ParsedLayer | null {
  const root = readRoot(layer, warn);
  if (root === null) return null;
  for (const path of SECTIONS) requireMapping(root, path, layer.name);
  const { layer: tree, overrode } = guardDefinitions(root, layer.name);
  if (overrode) {
    warn(`${layer.name} defines extensions.opamp, which is ignored: the supervisor's own opamp extension connects the Collector; name the server in server.endpoint of the supervisor`);
  }
  return { is: layer.is, name: layer.name, tree };
}

/** The supervisor puts something into each of these, so each must be written out. */
const SECTIONS: readonly (readonly string[])[] = [
  ["extensions"],
  ["service"],
  ["service", "telemetry"],
  ["service", "telemetry", "resource"],
];

function readRoot(layer: FileLayer, warn: (warning: string) => void): ConfigMap | null {
  try {
    const root = readYaml(layer.text, layer.name);
    if (root === null || isNull(root)) return null;
    if (root.is === "map") return root;
    throw new SupervisorError("config-refused", `${layer.name}: a configuration is a mapping (key: value), but this is ${kindOf(root)}`);
  } catch (error) {
    if (layer.is !== "local" || !(error instanceof SupervisorError)) throw error;
    warn(`a file of agent.config_files is left out: ${error.message}`);
    return null;
  }
}

function requireMapping(root: ConfigMap, path: readonly string[], name: string): void {
  const node = nodeAt(root, path);
  if (node === undefined || node.is === "map" || isNull(node)) return;
  const remedy = "write it out as a mapping, since the supervisor adds to it";
  throw new SupervisorError("config-refused", `${name}: ${path.join(".")} is ${kindOf(node)}; ${remedy}`);
}

function isNull(node: ConfigNode): boolean {
  return node.is === "plain" && isNullSource(node.source);
}
