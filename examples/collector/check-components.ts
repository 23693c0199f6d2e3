/** The validation of single components, whether a pipeline uses them or not. */
import { findType, type Section } from "./catalog.js";
import type { Components } from "./decode-config.js";
import { milliseconds } from "./duration.js";
import { plain, type ConfigMap } from "./value.js";
import { mapAt, numberAt, textAt } from "./settings.js";

export function checkComponents(section: Section, components: Components): string[] {
  return [...components].flatMap(([id, settings]) => {
    const type = findType(section, id)?.type ?? "";
    const rule = Object.hasOwn(RULES, `${section}/${type}`) ? RULES[`${section}/${type}`] : undefined;
    return (rule?.(settings) ?? []).map((mistake) => `${section}::${id}${mistake.startsWith("::") ? "" : ": "}${mistake}`);
  });
}

type Rule = (settings: ConfigMap) => string[];

const RULES: Readonly<Record<string, Rule>> = {
  "receivers/otlp": (settings) => {
    const protocols = mapAt(settings, "protocols");
    const some = protocols.get("grpc") instanceof Map || protocols.get("http") instanceof Map;
    return some ? [] : ["must specify at least one protocol when using the OTLP receiver"];
  },
  "receivers/hostmetrics": (settings) => {
    const mistakes: string[] = [];
    if (mapAt(settings, "scrapers").size === 0) mistakes.push("must specify at least one scraper when using hostmetrics receiver");
    if (milliseconds(textAt(settings, "collection_interval")) <= 0) {
      mistakes.push('::controllerconfig: "collection_interval": requires positive value');
    }
    return mistakes;
  },
  "processors/batch": (settings) => {
    const size = numberAt(settings, "send_batch_size");
    const max = numberAt(settings, "send_batch_max_size");
    if (max > 0 && max < size) return ["send_batch_max_size must be greater or equal to send_batch_size"];
    return milliseconds(textAt(settings, "timeout")) < 0 ? ["timeout must be greater or equal to 0"] : [];
  },
  "processors/memory_limiter": (settings) => {
    if (milliseconds(textAt(settings, "check_interval")) <= 0) return ["'check_interval' must be greater than zero"];
    const limit = numberAt(settings, "limit_mib");
    const percentage = numberAt(settings, "limit_percentage");
    if (limit === 0 && percentage === 0) return ["'limit_mib' or 'limit_percentage' must be greater than zero"];
    if (limit > 0 && numberAt(settings, "spike_limit_mib") >= limit) return ["'spike_limit_mib' must be smaller than 'limit_mib'"];
    return [];
  },
  "processors/filter": filterMistakes,
  "exporters/otlp_grpc": (settings) => {
    const endpoint = textAt(settings, "endpoint");
    if (endpoint === "") return ['requires a non-empty "endpoint"'];
    const mistake = grpcTargetMistake(endpoint.replace(/^(https?:\/\/|dns:\/\/\/?)/, ""));
    return mistake === null ? [] : [`::clientconfig: ${mistake}`];
  },
  "exporters/otlp_http": (settings) => {
    const some = ["endpoint", "traces_endpoint", "metrics_endpoint", "logs_endpoint", "profiles_endpoint"].some((key) => textAt(settings, key) !== "");
    return some ? [] : ["at least one endpoint must be specified"];
  },
  "extensions/health_check": (settings) => (textAt(settings, "endpoint") === "" ? ["::config: http endpoint required"] : []),
  "extensions/opamp": opampMistakes,
};

function opampMistakes(settings: ConfigMap): string[] {
  const server = mapAt(settings, "server");
  const ws = plain(server.get("ws") ?? null);
  const http = plain(server.get("http") ?? null);
  if (ws === null && http === null) return ["opamp server must have at least ws or http set"];
  if (ws !== null && http !== null) return ["opamp server must have only ws or http set"];
  const transport = ws ?? http;
  if (transport instanceof Map && textAt(transport, "endpoint") === "") {
    return ["opamp server endpoint must be provided", `::server::${ws === null ? "http" : "ws"}: opamp server endpoint must be provided`];
  }
  const uid = textAt(settings, "instance_uid");
  const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  return uid === "" || ulid.test(uid) || uuid.test(uid) ? [] : ["opamp instance_uid is invalid"];
}

function grpcTargetMistake(target: string): string | null {
  if (target.startsWith("unix:")) return null;
  const colons = target.replace(/^\[[^\]]*\]/, "").split(":");
  if (colons.length < 2) return `address ${target}: missing port in address`;
  if (colons.length > 2) return `address ${target}: too many colons in address`;
  return /^\d+$/.test(colons[1] ?? "") ? null : `invalid port ${JSON.stringify(colons[1])}`;
}

/** The conditions' language is not parsed here; only a condition that stops after an operator is noticed. */
function filterMistakes(settings: ConfigMap): string[] {
  for (const section of ["metrics", "logs", "traces", "profiles"]) {
    for (const conditions of mapAt(settings, section).values()) {
      const bad = Array.isArray(conditions) ? conditions.map(plain).find((one) => typeof one === "string" && /([<>=]=?|!=|\b(and|or|not))\s*$/.test(one)) : undefined;
      if (typeof bad === "string") {
        const end = bad.length + 1;
        return [
          `unable to parse OTTL condition ${JSON.stringify(bad)}: condition has invalid syntax: 1:${end}: unexpected token "<EOF>" (expected Field ("." Field)*)`,
        ];
      }
    }
  }
  return [];
}
