/**
 * `supervisor.yaml` to `Settings`, in one pass that finds every problem: read, parse, expand, read key by key, then
 * complain about what was left over. It is the only way in; nobody else sees the file.
 */
import { expandTree } from "./expand.js";
import type { Settings } from "./settings.js";
import { readAgent } from "./settings-agent.js";
import { readCapabilities } from "./settings-capabilities.js";
import { readHealthcheck } from "./settings-healthcheck.js";
import { readLogs } from "./settings-logs.js";
import { parseYaml } from "./settings-parse.js";
import { Problems } from "./settings-problems.js";
import { Section } from "./settings-section.js";
import { readServer } from "./settings-server.js";
import { readSource, readText } from "./settings-source.js";
import { readStorage } from "./settings-storage.js";
import { FILE_START } from "./settings-tree.js";
import type { Mapping } from "./settings-tree.js";
import { reportUnknownKeys } from "./settings-unknown.js";
import { nameOf } from "./settings-value.js";

export interface LoadedSettings {
  readonly settings: Settings;
  /** Whole lines with file, line and path; never a value that could be secret. */
  readonly warnings: string[];
}

/**
 * @param source what `--config` names: a path, `file:PATH` or `env:NAME`.
 * @param cwd what relative paths are relative to, also those in the file.
 * Rejects with a `SupervisorError` ("settings") that lists all problems.
 */
export function loadSettings(source: string, env: NodeJS.ProcessEnv, cwd: string): Promise<LoadedSettings> {
  // Everything below is synchronous: at this point of the start there is nothing to keep waiting.
  return new Promise((resolve) => {
    const { name, text } = readSource(source, env, cwd);
    const problems = new Problems(name);
    const root = rootMapping(source, text, problems, env, cwd);
    const settings = readSettings(root, problems, env, cwd);
    problems.throwIfAny();
    resolve({ settings, warnings: problems.warnings() });
  });
}

function rootMapping(source: string, text: string, problems: Problems, env: NodeJS.ProcessEnv, cwd: string): Mapping | null {
  const { tree, complaints, ignoredDocuments } = parseYaml(text);
  for (const complaint of complaints) problems.error(complaint.place, "", complaint.text);
  // A file that is not YAML cannot be judged any further.
  problems.throwIfAny();
  if (ignoredDocuments > 0) problems.warn(FILE_START, "", "only the first YAML document (up to ---) is read, the rest is ignored");
  if (tree.is === "mapping") {
    const expanded = expandTree(tree, {
      env,
      readFile: (path) => readText(path, cwd),
      fail: (scalar, path, reason) => problems.breakOff(scalar.place, path, reason),
      unset: (scalar, path, variable) => problems.unset(scalar.place, path, variable),
    });
    return expanded.is === "mapping" ? expanded : null;
  }
  if (tree.is === "scalar" && tree.value === null) {
    problems.error(FILE_START, "", emptyText(source));
  } else {
    problems.breakOff(FILE_START, "", `expected a mapping with the keys server, agent, … at the top but found ${nameOf(tree)}`);
  }
  return null;
}

function emptyText(source: string): string {
  if (source.startsWith("env:")) return `the environment variable ${source.slice("env:".length)} is not set or empty; expected the YAML of the settings in it`;
  return "there is nothing in it; expected at least server.endpoint and agent.executable";
}

function readSettings(root: Mapping | null, problems: Problems, env: NodeJS.ProcessEnv, cwd: string): Settings {
  const sections: Section[] = [];
  const top = new Section({ problems, sections }, root, "", FILE_START);
  const settings: Settings = {
    server: readServer(top.section("server"), cwd),
    capabilities: readCapabilities(top.section("capabilities")),
    agent: readAgent(top.section("agent"), cwd),
    storage: readStorage(top.section("storage"), env, cwd),
    telemetry: { logs: readLogs(top.section("telemetry").section("logs"), cwd) },
    healthcheck: readHealthcheck(top.section("healthcheck")),
  };
  reportUnknownKeys(sections, problems);
  return settings;
}
