/**
 * What can be learned of a Collector's binary without running a configuration. Four short questions, asked at once;
 * they stand in for the throw-away run that others need before their first message.
 */
import { stat } from "node:fs/promises";
import type { ExecutableFacts } from "../core/values.js";
import type { Clock, Millis } from "../lib/clock.js";
import { SupervisorError } from "../lib/error.js";
import { listsNoPipelinesGate } from "./arguments.js";
import { ask, type Answer } from "./ask.js";
import { lastLines } from "./clean-text.js";
import { checkExecutable, spawnError } from "./executable.js";

const QUOTE_CHARS_MAX = 500;
const QUOTE_LINES_MAX = 5;

/**
 * Only the form of the resource is of interest: a Collector that wants it inline refuses to decode this list, any other
 * one decodes it and at most complains that there are no pipelines. So it needs neither a component nor a gate.
 */
const PROBE = `yaml:{extensions: {opamp: {server: {ws: {endpoint: "ws://127.0.0.1:1/v1/opamp"}}}}, service: {extensions: [opamp], telemetry: {resource: {attributes: [{name: probe, value: probe}]}}}}`;

export interface DescribeOptions {
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: Millis;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** Rejects with code "executable", or "aborted". */
export async function describeExecutable(options: DescribeOptions): Promise<ExecutableFacts> {
  const identity = await executableIdentity(options.executable);
  checkExecutable(options.executable, "executable");
  const question = (...args: string[]): Promise<Answer> => ask({ ...options, args, errorCode: "executable" });
  const [components, gates, probe] = await Promise.all([
    question("components"),
    question("featuregate"),
    question("validate", "--config", PROBE),
  ]);
  const { name, version } = buildInfo(components) ?? nameAndVersion(await question("--version")) ?? refuse(options, components);
  requireExtension(options.executable, probe);
  return {
    identity,
    name,
    version,
    allowsNoPipelines: gates.code === 0 && listsNoPipelinesGate(gates.stdout),
    resourceForm: resourceForm(probe),
  };
}

/** Changes when the file does. Cheap, for comparing with what is remembered. Rejects with code "executable". */
export async function executableIdentity(path: string): Promise<string> {
  try {
    const { dev, ino, mtimeNs, size } = await stat(path, { bigint: true });
    return [path, dev, ino, size, mtimeNs].join("|");
  } catch (error) {
    throw spawnError(path, error, "executable");
  }
}

interface NameAndVersion {
  readonly name: string;
  readonly version: string;
}

/** Its help calls the format unstable, so no more than the two lines are looked for. */
function buildInfo({ code, stdout }: Answer): NameAndVersion | null {
  if (code !== 0) return null;
  const section = /^buildinfo:[ \t]*\n((?:[ \t]+.*\n?)+)/m.exec(stdout)?.[1] ?? "";
  const name = valueOf(section, "command");
  return name === "" ? null : { name, version: valueOf(section, "version") };
}

function valueOf(section: string, key: string): string {
  const written = new RegExp(`^[ \\t]+${key}:[ \\t]*(.*)$`, "m").exec(section)?.[1]?.trim() ?? "";
  return /^(["'])(.*)\1$/.exec(written)?.[2] ?? written;
}

/** `otelcol-contrib version 0.149.0`. */
function nameAndVersion({ code, stdout }: Answer): NameAndVersion | null {
  const found = code === 0 ? /^(\S+) version (\S+)\s*$/m.exec(stdout) : null;
  return found === null ? null : { name: found[1] ?? "", version: found[2] ?? "" };
}

function refuse({ executable, timeoutMs }: DescribeOptions, { code, is, signal, stderr, stdout }: Answer): never {
  const remedy = "agent.executable must name an OpenTelemetry Collector";
  const said = lastLines(stderr.trim() === "" ? stdout : stderr, QUOTE_CHARS_MAX, QUOTE_LINES_MAX);
  const quoted = said === "" ? "" : `; it said: ${said}`;
  const what =
    is === "timed-out"
      ? `did not answer its command "components" within ${timeoutMs / 1000} s`
      : is === "flooded"
        ? `answered its command "components" with output without end`
        : signal !== null
          ? `was killed by ${signal} while it answered its command "components"`
          : `does not answer its command "components" as a Collector does (exit code ${code ?? "unknown"})`;
  throw new SupervisorError("executable", `${executable} ${what}; ${remedy}${quoted}`);
}

/** `components` hides some types, so the validator's word counts. */
function requireExtension(executable: string, { stderr, stdout }: Answer): void {
  if (!/unknown type: "opamp"/.test(stderr + stdout)) return;
  throw new SupervisorError(
    "executable",
    `${executable} is built without the opamp extension, which the supervisor needs; use a distribution that has it (otelcol-contrib), or add opampextension to its builder configuration`,
  );
}

/** Older Collectors take inline keys only; where the answer is neither clear yes nor clear no they are the safer guess. */
function resourceForm({ code, is, stderr, stdout }: Answer): ExecutableFacts["resourceForm"] {
  const said = stderr + stdout;
  if (is !== "exited" || /service\.telemetry\.resource/.test(said)) return "inline";
  return code === 0 || /no receiver configuration|at least one pipeline|no exporter configuration/.test(said) ? "list" : "inline";
}
