/**
 * The order of the layers, and their texts. Files of `agent.config_files` are read here, outside of any worker, so that
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
  readonly configFiles: readonly string[];
  readonly remote: RemoteConfig | null;
  /** For `env:` entries. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws SupervisorError for a remote file that cannot take part, or when all together are too large. */
export async function readLayers(sources: LayerSources, signal: AbortSignal): Promise<{ layers: Layer[]; warnings: string[] }> {
  const layers: Layer[] = [];
  const warnings: string[] = [];
  for (const entry of layerOrder(sources.configFiles)) {
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
