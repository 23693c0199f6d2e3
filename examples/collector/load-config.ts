/** Sources to a checked configuration: retrieve, merge, `--set`, expand, decode, check. */
import { checkConfig } from "./check-config.js";
import { decodeConfig, type CollectorConfig } from "./decode-config.js";
import { expandMap } from "./expand.js";
import { ConfigError, retrieveSource, type Environment } from "./retrieve.js";
import { mergeMaps, plain, typeName, unnest, type ConfigMap } from "./value.js";
import { readYaml } from "./yaml-read.js";

export interface ConfigRequest {
  readonly sources: readonly string[];
  /** `key.path=value`, as given to `--set`. */
  readonly set: readonly string[];
  readonly gates: ReadonlySet<string>;
  readonly environment: Environment;
}

/** `stage` tells a configuration that cannot be read from one that breaks a rule: their prefixes differ. */
export type Loaded =
  | { readonly ok: true; readonly config: CollectorConfig; readonly unset: readonly string[] }
  | { readonly ok: false; readonly stage: "usage" | "get" | "check"; readonly error: string };

export function loadConfig(request: ConfigRequest): Loaded {
  const badScheme = request.sources.map((source) => schemeMistake(source, request.environment)).find((mistake) => mistake !== null);
  if (badScheme !== undefined) return { ok: false, stage: "usage", error: badScheme };
  const unset = new Set<string>();
  let merged: ConfigMap;
  try {
    merged = expandMap(mergeSources(request), request.environment, unset);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, stage: "get", error: `cannot resolve the configuration: ${error.message}` };
  }
  const decoded = decodeConfig(merged);
  if (!decoded.ok) return { ok: false, stage: "get", error: decoded.error };
  const mistakes = checkConfig(decoded.config, request.gates);
  return mistakes === null ? { ok: true, config: decoded.config, unset: [...unset] } : { ok: false, stage: "check", error: mistakes };
}

/** The text behind `Error: ` for the three ways to come here. */
export function loadErrorText(failure: Extract<Loaded, { ok: false }>, mode: "validate" | "run"): string {
  if (failure.stage === "usage") return failure.error;
  if (failure.stage === "get") return `failed to get config: ${failure.error}`;
  return mode === "validate" ? failure.error : `invalid configuration: ${failure.error}`;
}

function schemeMistake(source: string, environment: Environment): string | null {
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:/.test(source) || /^(env|file|yaml):/.test(source)) return null;
  try {
    retrieveSource(source, environment);
    return null;
  } catch (error) {
    return error instanceof ConfigError ? error.message : String(error);
  }
}

function mergeSources(request: ConfigRequest): ConfigMap {
  let merged: ConfigMap = new Map();
  for (const source of request.sources) {
    merged = mergeMaps(merged, unnest(sourceMap(source, request.environment)));
  }
  for (const pair of request.set) merged = mergeMaps(merged, setMap(pair));
  return merged;
}

function sourceMap(source: string, environment: Environment): ConfigMap {
  const retrieved = retrieve(source, environment);
  const value = plain(retrieved.value);
  if (value === null) return new Map();
  if (value instanceof Map) return value;
  const words = retrieved.notYaml === null ? "" : `: assuming string type since contents are not valid YAML: ${retrieved.notYaml}`;
  throw new ConfigError(`retrieved value (type=${typeName(value)}) cannot be used as a Conf${words}`);
}

function retrieve(source: string, environment: Environment): ReturnType<typeof retrieveSource> {
  try {
    return retrieveSource(source, environment);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`cannot retrieve the configuration: ${error.message}`) : error;
  }
}

function setMap(pair: string): ConfigMap {
  const equal = pair.indexOf("=");
  const parsed = readYaml(pair.slice(equal + 1));
  const value = parsed.ok ? parsed.value : pair.slice(equal + 1);
  return unnest(new Map([[pair.slice(0, equal).replaceAll(".", "::"), value]]));
}
