/** Input of `composeConfig` with sensible values for all that a test does not care about. */
import type { ComposeInput } from "../../src/config/compose.js";
import type { ExecutableFacts, RemoteConfig } from "../../src/core/values.js";

export const INSTANCE_UID = "0190f7a2-86f1-7c3e-9d52-4a1f0c2b7e11";

export function composeInput(given: Partial<Omit<ComposeInput, "executable">> & { executable?: Partial<ExecutableFacts> }): ComposeInput {
  return {
    fallbackFiles: null,
    configFiles: [],
    remote: null,
    instanceUid: INSTANCE_UID,
    description: { identifyingAttributes: {}, nonIdentifyingAttributes: {}, includeResourceAttributes: false },
    orphanDetectionIntervalMs: 5000,
    env: {},
    ...given,
    executable: { identity: "x", name: "otelcol", version: "0.149.0", allowsNoPipelines: true, resourceForm: "inline", ...given.executable },
  };
}

/** A remote configuration of these files, by name. */
export function remoteConfig(files: Readonly<Record<string, string>>, contentType = ""): RemoteConfig {
  const encoder = new TextEncoder();
  return { hash: "ab12", files: Object.entries(files).map(([name, body]) => ({ name, body: encoder.encode(body), contentType, role: "" })) };
}
