/**
 * From layers to the text that runs: a function of plain data. Each layer is taken apart before it is merged, what the
 * supervisor must be sure of is put in last, and the result is printed in one canonical form.
 */
import { createHash } from "node:crypto";
import { SupervisorError } from "../lib/error.js";
import type { Composed, ComposeJob, Layer } from "./compose-job.js";
import { addExtensions, OPAMP, type Extensions } from "./extensions.js";
import { descriptionAttributes, nopPipeline, opampExtension, ownTelemetry } from "./inject.js";
import { parseLayer, type ParsedLayer } from "./layer-parse.js";
import { CONFIG_BYTES_MAX } from "./layers.js";
import { merge, mergeAt, withoutPath } from "./merge.js";
import { addResource, declaresAttributes, NO_RESOURCE, printResource, withAttribute, type Resource } from "./resource.js";
import { EMPTY_MAP, list, map, nodeAt, text, type ConfigMap } from "./yaml-node.js";
import { printYaml } from "./yaml-print.js";
import { isNullSource } from "./yaml-scalar.js";

/** @throws SupervisorError "config-refused" or "config-too-large", with the reason a person needs. */
export function composeLayers(job: ComposeJob): Composed {
  const warnings: string[] = [];
  const layers = job.layers.flatMap((layer) => asTree(layer, job, warnings) ?? []);
  const remoteDeclares = layers.some(({ is, tree }) => is === "remote" && declaresAttributes(nodeAt(tree, RESOURCE)));
  let sum: Sum = { tree: EMPTY_MAP, extensions: new Map(), resource: NO_RESOURCE };
  for (const [index, layer] of layers.entries()) {
    const remoteBegins = layer.is === "remote" && layers[index - 1]?.is !== "remote";
    if (remoteBegins && remoteDeclares) sum = { ...sum, resource: { ...sum.resource, attributes: new Map() } };
    sum = addLayer(sum, layer);
  }
  const { tree, runs } = complete(sum, job);
  const printed = printYaml(tree);
  if (printed.length > CONFIG_BYTES_MAX) {
    throw new SupervisorError("config-too-large", `the merged configuration is larger than ${CONFIG_BYTES_MAX} bytes`);
  }
  return { text: printed, digest: digestOf(printed, job.instanceUid), runs, warnings };
}

/** Without the instance uid: what is known of a configuration, good or bad, outlives a new identity. */
function digestOf(text: string, instanceUid: string): string {
  return createHash("sha256").update(text.replaceAll(instanceUid, "")).digest("hex");
}

const EXTENSIONS = ["service", "extensions"];
const PIPELINES = ["service", "pipelines"];
const TELEMETRY = ["service", "telemetry"];
const RESOURCE = [...TELEMETRY, "resource"];

interface Sum {
  readonly tree: ConfigMap;
  /** Taken out of the tree, since the common rule of the merge does not hold for them. */
  readonly extensions: Extensions;
  readonly resource: Resource;
}

function asTree(layer: Layer, job: ComposeJob, warnings: string[]): ParsedLayer | null {
  switch (layer.is) {
    case "own-telemetry": {
      const attributes = descriptionAttributes(job.description).map(([name, value]) => [name, text(value)] as const);
      const resource: ConfigMap = { is: "map", entries: new Map(attributes) };
      return { is: layer.is, name: "the supervisor's own telemetry", tree: mergeAt(ownTelemetry(), RESOURCE, resource) };
    }
    case "opamp-extension":
      return { is: layer.is, name: "the opamp extension", tree: mergeAt(EMPTY_MAP, ["service"], map({ extensions: list([text(OPAMP)]) })) };
    case "local":
    case "fallback":
    case "remote":
      return parseLayer(layer, (warning) => warnings.push(warning));
  }
}

function addLayer(sum: Sum, { name, tree }: ParsedLayer): Sum {
  return {
    tree: merge(sum.tree, withoutPath(withoutPath(tree, EXTENSIONS), RESOURCE)),
    extensions: addExtensions(sum.extensions, nodeAt(tree, EXTENSIONS), name),
    resource: addResource(sum.resource, nodeAt(tree, RESOURCE), name),
  };
}

/** What no layer can take away: our extension, the instance id, and a pipeline where the Collector insists on one. */
function complete(sum: Sum, job: ComposeJob): { tree: ConfigMap; runs: boolean } {
  const pipelines = hasPipelines(sum.tree);
  const runs = !job.remoteReceived || pipelines || [...sum.extensions.keys()].some((id) => id !== OPAMP);
  const resource = withAttribute(sum.resource, "service.instance.id", job.instanceUid);
  let tree = !pipelines && !job.allowsNoPipelines ? merge(sum.tree, nopPipeline()) : sum.tree;
  tree = mergeAt(tree, ["extensions"], map({ [OPAMP]: opampExtension(job) }));
  tree = mergeAt(tree, ["service"], map({ extensions: list([...sum.extensions.values()]) }));
  tree = mergeAt(tree, TELEMETRY, map({ resource: printResource(resource, job.resourceForm) }));
  return { tree, runs };
}

function hasPipelines(tree: ConfigMap): boolean {
  const node = nodeAt(tree, PIPELINES);
  if (node === undefined || (node.is === "plain" && isNullSource(node.source))) return false;
  return node.is !== "map" || node.entries.size > 0;
}
