/**
 * Before the interop tests: builds the programs that are not ours, where there is a Go for it. What `.ci/run` (or a
 * developer) already put into the environment is taken as it is.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const NO_GO = 3;

const programs = [
  { variable: "OTELCOL", script: "build-collector.sh", args: [] },
  { variable: "GO_SERVER", script: "build-go-program.sh", args: ["go-server"] },
  { variable: "GO_YAML", script: "build-go-program.sh", args: ["go-yaml"] },
];

export async function setup(): Promise<void> {
  for (const { args, script, variable } of programs) {
    // An empty one says that the program was looked for in vain.
    process.env[variable] ??= await build(script, args);
  }
}

/** Empty: there is no usable Go here. A build that fails for another reason fails the run. */
async function build(script: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(fileURLToPath(new URL(script, import.meta.url)), args);
    return stdout.trim();
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_GO) return "";
    throw error;
  }
}
