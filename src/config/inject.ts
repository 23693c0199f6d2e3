/** What the supervisor itself puts into the Collector's configuration, as trees. */
import type { ComposeJob } from "./compose-job.js";
import {
  EXTENSION_AUTHORIZATION_SCHEME,
  EXTENSION_PATH,
  EXTENSION_PORT_VARIABLE,
  EXTENSION_SECRET_VARIABLE,
  PARENT_PID_VARIABLE,
} from "./variables.js";
import { list, map, plain, text, type ConfigMap, type ConfigNode } from "./yaml-node.js";

/** The definition of the opamp extension: the whole of it, whatever layers say. */
export function opampExtension(job: ComposeJob): ConfigMap {
  const server = map({
    endpoint: text(`ws://127.0.0.1:${reference(EXTENSION_PORT_VARIABLE)}${EXTENSION_PATH}`),
    headers: map({ Authorization: text(`${EXTENSION_AUTHORIZATION_SCHEME} ${reference(EXTENSION_SECRET_VARIABLE)}`) }),
    tls: map({ insecure: plain("true") }),
  });
  return map({
    instance_uid: text(job.instanceUid),
    server: map({ ws: server }),
    ppid: text(reference(PARENT_PID_VARIABLE)),
    ppid_poll_interval: plain(duration(job.orphanDetectionIntervalMs)),
    capabilities: map({
      reports_effective_config: plain("true"),
      reports_health: plain("true"),
      reports_available_components: plain("true"),
    }),
    ...agentDescription(job.description),
  });
}

function agentDescription({ nonIdentifyingAttributes, includeResourceAttributes }: ComposeJob["description"]): Record<string, ConfigMap> {
  const entries: Record<string, ConfigNode> = {};
  if (includeResourceAttributes) entries["include_resource_attributes"] = plain("true");
  const attributes = Object.entries(nonIdentifyingAttributes);
  if (attributes.length > 0) {
    entries["non_identifying_attributes"] = { is: "map", entries: new Map(attributes.map(([name, value]) => [name, text(literal(value))])) };
  }
  return Object.keys(entries).length === 0 ? {} : { agent_description: map(entries) };
}

/** The Collector's output is read by machines; layers above may still change that. */
export function ownTelemetry(): ConfigMap {
  const logs = map({ encoding: text("json"), output_paths: list([text("stdout")]), error_output_paths: list([text("stderr")]) });
  return map({ service: map({ telemetry: map({ logs }) }) });
}

/** The attributes of the settings, sorted, as values for the Collector's resource. */
export function descriptionAttributes({ identifyingAttributes, nonIdentifyingAttributes }: ComposeJob["description"]): [string, string][] {
  const all = Object.entries({ ...nonIdentifyingAttributes, ...identifyingAttributes });
  return all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, literal(value)]);
}

/** For a Collector that does not start without any pipeline. */
export function nopPipeline(): ConfigMap {
  const nop = list([text("nop")]);
  const empty = map({ nop: plain("null") });
  return map({ receivers: empty, exporters: empty, service: map({ pipelines: map({ traces: map({ receivers: nop, exporters: nop }) }) }) });
}

function reference(variable: string): string {
  return `\${env:${variable}}`;
}

/** So that the Collector reads a `$` of ours as a `$`, not as the start of a reference. */
function literal(value: string): string {
  return value.replaceAll("$", "$$$$");
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
