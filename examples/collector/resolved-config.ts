/** The configuration as it runs, with every default, as YAML: what `print-config` prints and the opamp extension reports. */
import type { Section } from "./catalog.js";
import { schemaOf } from "./component-schemas.js";
import type { CollectorConfig } from "./decode-config.js";
import type { PipelineConfig } from "./decode-service.js";
import { show } from "./show.js";
import { plain, type ConfigMap, type ConfigValue } from "./value.js";
import { writeYaml } from "./yaml-write.js";

export function resolvedYaml(config: CollectorConfig): string {
  const sections = SECTIONS.map((section) => [section, showSection(config, section)] as const);
  return writeYaml(new Map<string, ConfigValue>([...sections, ["service", showService(config)]]));
}

const SECTIONS: readonly Section[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

function showSection(config: CollectorConfig, section: Section): ConfigMap {
  return new Map([...config[section]].map(([id, value]) => [id, showComponent(section, id, value)]));
}

function showComponent(section: Section, id: string, value: ConfigMap): ConfigMap {
  const shown = show(schemaOf(section, id).schema, value);
  // A queue that is off is shown as missing.
  const queue = plain(value.get("sending_queue") ?? null);
  if (queue instanceof Map && plain(queue.get("enabled") ?? true) === false) shown.set("sending_queue", null);
  return shown;
}

function showService({ service }: CollectorConfig): ConfigMap {
  const telemetry: ConfigMap = new Map<string, ConfigValue>([
    ["logs", service.logs],
    ["metrics", service.metrics],
  ]);
  if (service.resource !== null && service.resource.size > 0) telemetry.set("resource", service.resource);
  if (service.traces !== null) telemetry.set("traces", service.traces);
  const pipelines: ConfigMap = new Map([...service.pipelines].map(([id, pipeline]) => [id, showPipeline(pipeline)]));
  const shown: ConfigMap = new Map<string, ConfigValue>([["telemetry", telemetry], ["pipelines", pipelines]]);
  if (service.extensionsGiven) shown.set("extensions", [...service.extensions]);
  return shown;
}

function showPipeline(pipeline: PipelineConfig): ConfigMap {
  return new Map<string, ConfigValue>([
    ["receivers", [...pipeline.receivers]],
    ["processors", [...pipeline.processors]],
    ["exporters", [...pipeline.exporters]],
  ]);
}
