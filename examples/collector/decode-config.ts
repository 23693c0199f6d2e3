/** The merged and expanded configuration to a typed one, or the Collector's text of everything that does not decode. */
import { findType, typeNames, type Section } from "./catalog.js";
import { schemaOf } from "./component-schemas.js";
import { decodeRoot, DECODING_FAILED } from "./decode.js";
import { decodeService, type ServiceConfig } from "./decode-service.js";
import { checkId } from "./identifier.js";
import { kindName, plain, typeName, type ConfigMap, type ConfigValue } from "./value.js";
import { mapAt, textAt } from "./settings.js";

/** Decoded components by their ids, e.g. `otlp/2`. */
export type Components = ReadonlyMap<string, ConfigMap>;

export interface CollectorConfig extends Readonly<Record<Section, Components>> {
  readonly service: ServiceConfig;
}

export type Decoded = { readonly ok: true; readonly config: CollectorConfig } | { readonly ok: false; readonly error: string };

const SECTIONS: readonly Section[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

export function decodeConfig(map: ConfigMap): Decoded {
  const mistakes: string[] = [];
  const [receivers, processors, exporters, connectors, extensions] = SECTIONS.map((section) => decodeSection(section, map.get(section) ?? null, mistakes));
  const service = decodeService(map.get("service") ?? null, mistakes);
  const unknown = [...map.keys()].filter((key) => key !== "service" && !SECTIONS.some((section) => section === key)).sort();
  if (unknown.length > 0) mistakes.push(`'otelcol.configSettings' has invalid keys: ${unknown.join(", ")}`);
  if (mistakes.length > 0) return { ok: false, error: `cannot unmarshal the configuration: ${DECODING_FAILED}${mistakes.join("\n")}` };
  const none: Components = new Map();
  return {
    ok: true,
    config: {
      receivers: receivers ?? none,
      processors: processors ?? none,
      exporters: exporters ?? none,
      connectors: connectors ?? none,
      extensions: extensions ?? none,
      service,
    },
  };
}

/** As in the real one, a section reports its first mistake only. */
function decodeSection(section: Section, value: ConfigValue, mistakes: string[]): Components {
  const components = new Map<string, ConfigMap>();
  const bare = plain(value);
  if (bare === null) return components;
  if (!(bare instanceof Map)) {
    mistakes.push(`'${section}' expected a map or struct, got "${kindName(bare)}"`);
    return components;
  }
  for (const [id, item] of bare) {
    const mistake = decodeComponent(section, id, item, components);
    if (mistake !== null) {
      mistakes.push(`'${section}' ${mistake}`);
      break;
    }
  }
  return components;
}

function decodeComponent(section: Section, id: string, value: ConfigValue, components: Map<string, ConfigMap>): string | null {
  const badId = checkId(id);
  if (badId !== null) return `'' ${badId}`;
  if (findType(section, id) === undefined) {
    const type = JSON.stringify(id.split("/", 1)[0]);
    return `unknown type: ${type} for id: ${JSON.stringify(id)} (valid values: [${typeNames(section).join(" ")}])`;
  }
  const bare = plain(value);
  if (bare !== null && !(bare instanceof Map)) {
    return `${DECODING_FAILED}'[${id}]' expected type 'map[string]interface {}', got unconvertible type '${typeName(bare)}'`;
  }
  const { schema, nested } = schemaOf(section, id);
  const decoded = decodeRoot(schema, bare, nested === true);
  const error = decoded.error ?? special(section, id, bare);
  if (error !== null) return `error reading configuration for ${JSON.stringify(id)}: ${error}`;
  components.set(id, decoded.value);
  return null;
}

const SCRAPERS = ["cpu", "disk", "filesystem", "load", "memory", "network", "nfs", "paging", "process", "processes", "system"];
const OPERATORS_KNOWN = /^(add|assign_keys|container|copy|csv_parser|filter|flatten|json_array_parser|json_parser|key_value_parser|move|noop|recombine|regex_parser|regex_replace|remove|retain|router|scope_name_parser|severity_parser|sanitize_utf8|stdout|syslog_parser|time_parser|trace_parser|unquote|uri_parser|file_output|drop_output)$/;

/** Rules inside the decoders of single components. */
function special(section: Section, id: string, value: ConfigMap | null): string | null {
  if (section !== "receivers" || value === null) return null;
  const type = findType(section, id)?.type;
  const scrapers = plain(value.get("scrapers") ?? null);
  if (type === "hostmetrics" && scrapers instanceof Map) {
    const bad = [...scrapers.keys()].find((name) => !SCRAPERS.includes(name));
    if (bad !== undefined) return `'' invalid scraper key: ${bad}`;
  }
  const operators = plain(value.get("operators") ?? null);
  if (type === "file_log" && Array.isArray(operators)) {
    const types = operators.map((item) => mapAt(new Map([["it", item]]), "it")).map((operator) => textAt(operator, "type"));
    const index = types.findIndex((name) => !OPERATORS_KNOWN.test(name));
    if (index >= 0) return `${DECODING_FAILED}'operators[${index}]' unsupported type '${types[index] ?? ""}'`;
  }
  return null;
}
