/** `storage`: the directory that holds identity, state and the Collector's files. */
import { resolve } from "node:path";
import type { Settings } from "./settings.js";
import type { Section } from "./settings-section.js";

export function readStorage(storage: Section, env: NodeJS.ProcessEnv, cwd: string): Settings["storage"] {
  const directory = storage.text("directory", defaultDirectory(env));
  if (directory === "") storage.error("directory", "must not be empty; expected the path of a directory, e.g. /var/lib/opampsupervisor");
  return { directory: resolve(cwd, directory) };
}

/** As Go, so that a host finds its state again. */
function defaultDirectory(env: NodeJS.ProcessEnv): string {
  if (process.platform !== "win32") return "/var/lib/otelcol/supervisor";
  return `${env["ProgramData"] ?? "C:\\ProgramData"}\\Otelcol\\Supervisor`;
}
