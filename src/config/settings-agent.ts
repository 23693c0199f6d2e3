/** `agent`: the Collector, how it is run and how it is described. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { AgentSettings } from "./settings.js";
import { readExecutable } from "./settings-executable.js";
import { nearest } from "./settings-nearest.js";
import type { Section } from "./settings-section.js";

export function readAgent(agent: Section, cwd: string): AgentSettings {
  const description = agent.section("description");
  const settings: AgentSettings = {
    executable: readExecutable(agent, cwd),
    instanceId: readInstanceId(agent),
    orphanDetectionIntervalMs: readPositive(agent, "orphan_detection_interval", 5_000, "must be positive"),
    description: {
      identifyingAttributes: description.textMap("identifying_attributes"),
      nonIdentifyingAttributes: description.textMap("non_identifying_attributes"),
      includeResourceAttributes: description.boolean("include_resource_attributes", false),
    },
    // Go waits 5 s and always the whole time; here it is the longest wait, so a slow Collector may have it.
    configApplyTimeoutMs: readPositive(agent, "config_apply_timeout", 30_000, "must be valid duration"),
    configProbationMs: readProbation(agent),
    bootstrapTimeoutMs: readPositive(agent, "bootstrap_timeout", 3_000, "must be positive"),
    opampServerPort: readPort(agent),
    passthroughLogs: agent.boolean("passthrough_logs", false),
    useHupConfigReload: agent.boolean("use_hup_config_reload", false),
    validateConfig: agent.boolean("validate_config", true),
    configFiles: readConfigFiles(agent, cwd),
    startupFallbackConfigs: readFallbackFiles(agent, cwd),
    automaticConfigRollback: agent.boolean("automatic_config_rollback", true),
    collectorCrashLogSnippetKib: readSnippetKib(agent),
    args: readArgs(agent),
    env: agent.textMap("env", (name) => (/^[^=]+$/.test(name) ? null : "not the name of an environment variable; it must not be empty or hold =")),
  };
  if (settings.useHupConfigReload && process.platform === "win32") {
    agent.error("use_hup_config_reload", "agent::use_hup_config_reload is not supported on Windows; remove it");
  }
  return settings;
}

function readPositive(agent: Section, key: string, defaultMs: number, words: string): number {
  const ms = agent.durationMs(key, defaultMs);
  if (ms <= 0) agent.error(key, `agent::${key} ${words}; expected e.g. ${defaultMs / 1_000}s`);
  return ms;
}

function readProbation(agent: Section): number {
  const ms = agent.durationMs("config_probation", 60_000);
  if (ms < 0) agent.error("config_probation", "agent::config_probation must not be negative; expected e.g. 60s, or 0s to turn it off");
  return ms;
}

function readPort(agent: Section): number {
  const port = agent.integer("opamp_server_port", 0);
  if (port < 0 || port > 65_535) {
    agent.error("opamp_server_port", `agent::opamp_server_port must be a valid port number; expected 1 to 65535, or 0 for any free one, but found ${port}`);
  }
  return port;
}

/** The forms that Go's parser takes: canonical, in braces, as a URN, or the bare digits. Canonical text comes out. */
function readInstanceId(agent: Section): string | null {
  const text = agent.text("instance_id", "");
  if (text === "") return null;
  const inner = /^(?:urn:uuid:(.{36})|\{(.{36})\}|(.{36})|(.{32}))$/i.exec(text);
  const digits = (inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? inner?.[4] ?? "").toLowerCase();
  const groups = /^([0-9a-f]{8})(-?)([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{12})$/.exec(digits);
  if (groups === null) {
    agent.error("instance_id", "agent::instance_id must be a valid UUID string when set: expected e.g. 0195c6f0-7a3b-7cde-8f01-23456789abcd");
    return null;
  }
  return [groups[1], groups[3], groups[4], groups[5], groups[6]].join("-");
}

/** Whether they can be read and run is found when they are checked: a broken one must not stop a supervisor that has something better. */
function readFallbackFiles(agent: Section, cwd: string): readonly string[] {
  return agent.texts("startup_fallback_configs", []).map((file, index) => {
    if (file === "") agent.entryError("startup_fallback_configs", index, `agent::startup_fallback_configs[${index}] cannot be empty; expected a path`);
    if (file.startsWith("$")) agent.entryError("startup_fallback_configs", index, "placeholders have no meaning here; expected a path");
    if (file.startsWith("env:")) agent.entryError("startup_fallback_configs", index, "variables are not supported here, as in Go; expected a path");
    return resolve(cwd, file.replace(/^file:/, ""));
  });
}

const SNIPPET_KIB_MAX = 1_024;

function readSnippetKib(agent: Section): number | null {
  const key = "collector_crash_log_snippet_kib";
  if (agent.find(key) === null) return null;
  const kib = agent.integer(key, 0);
  if (kib < 0) agent.error(key, `agent::${key} must be non-negative; expected 0 to ${SNIPPET_KIB_MAX}`);
  if (kib > SNIPPET_KIB_MAX) agent.error(key, `agent::${key} must be less than or equal to ${SNIPPET_KIB_MAX}`);
  return kib;
}

const PLACEHOLDERS = ["$OWN_TELEMETRY_CONFIG", "$OPAMP_EXTENSION_CONFIG", "$REMOTE_CONFIG"];

function readConfigFiles(agent: Section, cwd: string): readonly string[] {
  return agent.texts("config_files", []).map((file, index) => {
    if (file === "") agent.entryError("config_files", index, `is empty; expected a path or ${PLACEHOLDERS.join(", ")}`);
    if (file.startsWith("$")) {
      if (!PLACEHOLDERS.includes(file)) agent.entryError("config_files", index, placeholderText(file));
      return file;
    }
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(file)?.[1];
    if (scheme === "file" || scheme === "env") return file;
    const path = resolve(cwd, file);
    if (scheme !== undefined && !existsSync(path)) {
      agent.entryError("config_files", index, `unsupported scheme on URI "${scheme}:…"; expected a path, file:PATH or env:NAME`);
    }
    return path;
  });
}

function placeholderText(file: string): string {
  const text = `agent::config_files contains invalid special file: ${JSON.stringify(file)}. Must be one of [${PLACEHOLDERS.join(" ")}]`;
  const meant = nearest(file, PLACEHOLDERS);
  if (meant !== null) return `${text}, did you mean "${meant}"?`;
  return `${text}; for an environment variable write \${env:${file.slice(1)}}`;
}

/** These would override the composed configuration, the opamp extension included, and the Collector never connect. */
const REFUSED_ARGUMENT = /^--?(config|set)(=|$)/;

function readArgs(agent: Section): readonly string[] {
  const args = agent.texts("args", []);
  for (const [index, argument] of args.entries()) {
    const name = REFUSED_ARGUMENT.exec(argument)?.[1];
    if (name === undefined) continue;
    const remedy = name === "config" ? "list the file in agent.config_files" : "put the value into a file and list that in agent.config_files";
    agent.entryError("args", index, `--${name} would override the configuration that the supervisor composes; ${remedy}`);
  }
  return args;
}
