/** `validate` and `print-config`: everything that can be said of a configuration without running it. */
import { checkBuild } from "./check-config.js";
import { loadConfig, loadErrorText, type ConfigRequest } from "./load-config.js";
import { resolvedYaml } from "./resolved-config.js";

/** Answers with the error text, or null. */
export async function validate(request: ConfigRequest): Promise<string | null> {
  const loaded = loadConfig(request);
  if (!loaded.ok) return loadErrorText(loaded, "validate");
  const faults = (await import("./faults.js")).faultsOf(loaded.config);
  if (faults?.hangOnValidate === true) await faults.forever();
  return checkBuild(loaded.config);
}

export type Printed = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string };

export function printConfig(request: ConfigRequest): Printed {
  const loaded = loadConfig(request);
  if (!loaded.ok) return { ok: false, error: loadErrorText(loaded, "run") };
  return { ok: true, text: `${resolvedYaml(loaded.config)}\n` };
}
