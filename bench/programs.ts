/** What is measured: the programs, looked at before the first sample, and how they and the machine are called in print. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync, realpathSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { SupervisorProgram } from "./row.js";

export interface Programs {
  readonly collector: string;
  readonly supervisors: readonly SupervisorProgram[];
  /** What a reader of the figures has to know, a line each. */
  readonly description: Readonly<Record<string, string>>;
}

const STAND_IN = /standin/i;
const BYTES_PER_GB = 1024 ** 3;

/** Throws an error with a readable message when there is nothing to measure. */
export function findPrograms(collectorPath: string, ourProgram: string, env: NodeJS.ProcessEnv): Programs {
  const { collector, name } = realCollector(collectorPath);
  const go = env["GO_SUPERVISOR"] ?? "";
  const ours: SupervisorProgram = { name: "ours", command: [process.execPath, ourProgram] };
  return {
    collector,
    supervisors: go === "" ? [ours] : [ours, { name: "go", command: [executable(go, "GO_SUPERVISOR")] }],
    description: {
      "ours": `${ourProgram} (${print(process.execPath, [ourProgram, "--version"])})`,
      "Go supervisor": go === "" ? "left out: GO_SUPERVISOR is not set (test/interop/build-go-supervisor.sh builds one)" : `${go} (${goSupervisorVersion(go)})`,
      "Collector": `${collector} (${name})`,
      "Node": `${process.execPath} (${process.version})`,
      "machine": machine(),
    },
  };
}

/** The stand-in says what it is in what it prints about itself. */
function realCollector(path: string): { collector: string; name: string } {
  if (path === "") throw new Error("no Collector: name one as an argument or in the environment as OTELCOL (test/interop/build-collector.sh builds one)");
  const collector = executable(path, "the Collector");
  const version = print(collector, ["--version"]);
  if (STAND_IN.test(version) || STAND_IN.test(print(collector, ["components"]))) {
    throw new Error(`${collector} is the stand-in: its times say nothing, name a real Collector`);
  }
  return { collector, name: version };
}

/** By its real path, as /proc shows it. */
function executable(path: string, what: string): string {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch (error) {
    throw new Error(`${what} cannot be run: ${String(error)}`, { cause: error });
  }
}

function print(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).trim();
}

/** It has no flag for it; the build information of Go programs does. */
function goSupervisorVersion(path: string): string {
  const text = readFileSync(path, "latin1");
  return /cmd\/opampsupervisor\t(v[\w.+-]+)/.exec(text)?.[1] ?? "version unknown";
}

function machine(): string {
  const cores = cpus();
  return `${cores.length} cores (${cores[0]?.model.trim() ?? "unknown"}), ${(totalmem() / BYTES_PER_GB).toFixed(0)} GB`;
}
