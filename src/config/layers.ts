/**
 * The order of the layers, and their texts. Files of the host are read here, outside of any worker, so that
 * everything behind this point is a function of plain data.
 */
import { SupervisorError } from "../lib/error.js";
import type { RemoteConfig } from "../core/values.js";
import type { Layer } from "./compose-job.js";
import { readLocal } from "./layer-local.js";
import { remoteLayers } from "./layer-remote.js";

/** All layers together; beyond this the Collector itself would be in trouble. */
export const CONFIG_BYTES_MAX = 16 * 1024 * 1024;

export interface LayerSources {
  /** `agent.startup_fallback_configs`, in place of all others; null: they take no part. */
  readonly fallbackFiles: readonly string[] | null;
  readonly configFiles: readonly string[];
  readonly remote: RemoteConfig | null;
  /** For `env:` entries. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws SupervisorError for a remote file that cannot take part, or when all together are too large. */
export async function readLayers(sources: LayerSources, signal: AbortSignal): Promise<{ layers: Layer[]; warnings: string[] }> {
  const layers: Layer[] = sources.fallbackFiles === null ? [] : await fallbackLayers(sources.fallbackFiles, sources.env, signal);
  const warnings: string[] = [];
  for (const entry of sources.fallbackFiles === null ? layerOrder(sources.configFiles) : []) {
    if (signal.aborted) throw new SupervisorError("aborted", "the work on the configuration was aborted");
    if (entry === OWN_TELEMETRY) layers.push({ is: "own-telemetry" });
    else if (entry === OPAMP_EXTENSION) layers.push({ is: "opamp-extension" });
    else if (entry === REMOTE) layers.push(...remoteLayers(sources.remote, CONFIG_BYTES_MAX));
    else {
      const local = await readLocal(entry, sources.env, CONFIG_BYTES_MAX);
      if (local.is === "read") layers.push({ is: "local", name: entry, text: local.text });
      else warnings.push(`${entry} of agent.config_files is left out: ${local.reason}`);
    }
  }
  const chars = layers.reduce((sum, layer) => sum + ("text" in layer ? layer.text.length : 0), 0);
  if (chars > CONFIG_BYTES_MAX) {
    throw new SupervisorError("config-too-large", `the layers of the configuration are together larger than ${CONFIG_BYTES_MAX} bytes`);
  }
  return { layers, warnings };
}

/** Neither local nor remote files take part. One that is missing or broken refuses the whole: half a fallback is none. */
async function fallbackLayers(files: readonly string[], env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const name of files) {
    if (signal.aborted) throw new SupervisorError("aborted", "the work on the configuration was aborted");
    const file = await readLocal(name, env, CONFIG_BYTES_MAX);
    if (file.is === "unreadable") throw new SupervisorError("config-refused", `could not read startup fallback ${name}: ${file.reason}`);
    layers.push({ is: "fallback", name: `startup fallback ${name}`, text: file.text });
  }
  // As in Go, and other than for the local files, what the supervisor adds comes last.
  return [...layers, { is: "opamp-extension" }, { is: "own-telemetry" }];
}

/** The entries of `agent.config_files` with the placeholders that are missing there. */
export function layerOrder(configFiles: readonly string[]): string[] {
  const order = [...configFiles];
  if (!order.includes(OWN_TELEMETRY)) order.unshift(OWN_TELEMETRY);
  if (!order.includes(OPAMP_EXTENSION)) order.push(OPAMP_EXTENSION);
  if (!order.includes(REMOTE)) order.push(REMOTE);
  return order;
}

const OWN_TELEMETRY = "$OWN_TELEMETRY_CONFIG";
const OPAMP_EXTENSION = "$OPAMP_EXTENSION_CONFIG";
const REMOTE = "$REMOTE_CONFIG";
