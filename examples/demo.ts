/**
 * `npm run demo`: the example OpAMP server, the supervisor as a process of its own, and a Collector below it. Prints where
 * the page is, what to try, and what happens; Ctrl-C stops everything, a second one at once.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/lib/clock.js";
import { messageOf, SupervisorError } from "../src/lib/error.js";
import { parseArguments, usageText, type Arguments } from "./demo/arguments.js";
import { findCollector, type Found } from "./demo/find-collector.js";
import { narrate } from "./demo/narrate.js";
import { freePort, isFree } from "./demo/ports.js";
import { startSupervisor, type Ended, type SupervisorProcess } from "./demo/supervisor-process.js";
import { writeSettings } from "./demo/write-settings.js";
import { startOpampServer, type OpampServer } from "./server/opamp-server.js";

const EXIT_STOPPED = 0;
const EXIT_CANNOT_START = 1;
const EXIT_USAGE = 2;
const EXIT_KILLED = 130;

const METRICS_PORT = 8888;
/** Runners of scripts pass a signal on that the terminal has sent already. */
const SAME_SIGNAL_MS = 100;
const PARENT_CHECK_MS = 500;

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  if (args.isHelp) {
    process.stdout.write(usageText);
    return EXIT_STOPPED;
  }
  const stopping = stopSignals();
  const root = findRoot();
  const directory = resolve(args.data);
  const collector = await findCollector(join(root, "examples/collector/standin-collector"), process.env, stopping.signal);
  if (collector === null) return EXIT_STOPPED;
  await requirePorts(args);
  const metricsPort = await metricsPortFor(args);
  const server = await startServer(args, directory);
  try {
    narrate(server.fleet, (line) => say(`${new Date(server.fleet.nowMs()).toISOString().slice(11, 19)}   ${line}`));
    const written = await writeSettings({
      directory,
      endpoint: server.webSocketUrl,
      caFile: server.caFile ?? "",
      executable: collector.executable,
      metricsPort,
    });
    const supervisor = await startSupervisor(join(root, "bin/opampsupervisor.js"), written.settings);
    introduce({ args, collector, directory, metricsPort, server, supervisor });
    return await runUntilStopped(supervisor, stopping);
  } finally {
    await server.close();
  }
}

/** Above the bundle, wherever its chunks lie. */
function findRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "bin/opampsupervisor.js"))) {
    const above = dirname(directory);
    if (above === directory) throw new SupervisorError("usage", "bin/opampsupervisor.js is not above the demo; run it in its checkout");
    directory = above;
  }
  return directory;
}

async function requirePorts({ host, ports }: Arguments): Promise<void> {
  if (ports === null) return;
  const wanted: [number, string, string][] = [
    [ports.opamp, "OpAMP", host],
    [ports.page, "the web page", host],
    [ports.otlp, "the OTLP sink", "127.0.0.1"],
  ];
  const free = await Promise.all(wanted.map(([port, , address]) => isFree(address, port)));
  const taken = wanted.filter((_, index) => free[index] === false).map(([port, what]) => `${port} (${what})`);
  if (taken.length === 0) return;
  const them = taken.length === 1 ? "it" : "them";
  throw new SupervisorError(
    "server",
    `cannot listen on ${taken.length === 1 ? "port" : "ports"} ${taken.join(", ")}: stop what uses ${them}, perhaps another demo, or take free ports: npm run demo -- --ports auto`,
  );
}

/** Null: port 8888, where every Collector shows its own metrics unless it is told otherwise. */
async function metricsPortFor({ ports }: Arguments): Promise<number | null> {
  const isItsOwn = ports !== null && (await isFree("127.0.0.1", METRICS_PORT));
  return isItsOwn ? null : freePort();
}

function startServer({ host, ports }: Arguments, directory: string): Promise<OpampServer> {
  const { opamp, otlp, page } = ports ?? { opamp: 0, otlp: 0, page: 0 };
  return startOpampServer({ dataDirectory: join(directory, "server"), host, opampPort: opamp, pagePort: page, otlpPort: otlp });
}

interface Introduction {
  readonly args: Arguments;
  readonly collector: Found;
  readonly directory: string;
  readonly metricsPort: number | null;
  readonly server: OpampServer;
  readonly supervisor: SupervisorProcess;
}

function introduce({ args, collector, directory, metricsPort, server, supervisor }: Introduction): void {
  const data = shortPath(directory);
  for (const reason of collector.passedOver) say(`not used:  ${reason}`);
  for (const warning of server.warnings) say(`warning:   ${warning}`);
  say(`OpAMP      ${server.webSocketUrl}`);
  say(`supervisor pid ${supervisor.pid}, --config=${join(data, "supervisor.yaml")}, its log: ${join(data, "supervisor.log")}`);
  if (collector.isReal) say(`Collector  ${collector.executable} (${collector.title})`);
  else {
    say(`Collector  a STAND-IN (${collector.title}): it behaves like a Collector but processes no telemetry.`);
    say("           For a real one: OTELCOL=/path/to/otelcol-contrib npm run demo");
  }
  const port = metricsPort ?? METRICS_PORT;
  if (metricsPort !== null && args.ports !== null) say(`           Port ${METRICS_PORT} is in use, so its own metrics are on port ${port}.`);
  say(`web page   ${server.pageUrl ?? ""}`);
  say(whatToTry(data, port));
}

function whatToTry(data: string, metricsPort: number): string {
  return `
Open the page, click on the agent, paste this into "Additional Configuration" and press "Save and Send to Agent":

receivers:
  hostmetrics:
    collection_interval: 10s
    scrapers:
      cpu:
exporters:
  debug:
    verbosity: detailed
service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      exporters: [debug]

Then break it, for example with "receivers: [nosuch]": FAILED comes with the reason, and the Collector runs on.
The Collector's output is in ${join(data, "storage/agent.log")}, what it runs in ${join(data, "storage/effective.yaml")},
its own metrics at http://localhost:${metricsPort}/metrics. Ctrl-C stops everything.
`;
}

/** Relative to where the person is, as long as that is shorter to read. */
function shortPath(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path.startsWith("..") ? directory : path || ".";
}

interface Stopping {
  /** Resolves with why. */
  readonly first: Promise<string>;
  readonly second: Promise<void>;
  /** Aborted with the first. */
  readonly signal: AbortSignal;
}

/** From the first moment on, so that nothing is half started and left behind. */
function stopSignals(): Stopping {
  let onFirst: (why: string) => void = () => undefined;
  let onSecond: () => void = () => undefined;
  const first = new Promise<string>((resolve) => (onFirst = resolve));
  const second = new Promise<void>((resolve) => (onSecond = resolve));
  let firstAt: number | null = null;
  const stop = (why: string): void => {
    if (firstAt === null) onFirst(why);
    else if (systemClock.now() - firstAt > SAME_SIGNAL_MS) onSecond();
    firstAt ??= systemClock.now();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(signal));
  watchParent(() => onFirst("npm has ended"));
  const abort = new AbortController();
  void first.then(() => abort.abort());
  return { first, second, signal: abort.signal };
}

/** npm passes SIGTERM to its shell, which does not pass it on; nobody would stop the demo any more. */
function watchParent(onGone: () => void): void {
  if (process.env["npm_lifecycle_event"] !== "demo") return;
  const parent = process.ppid;
  const look = (): void => {
    if (process.ppid !== parent) onGone();
    else systemClock.after(PARENT_CHECK_MS, look);
  };
  look();
}

async function runUntilStopped(supervisor: SupervisorProcess, { first, second }: Stopping): Promise<number> {
  const early = await Promise.race([supervisor.exited, first]);
  if (typeof early !== "string") return complainOf(early);
  say(`\nStopping the Collector and the supervisor (${early}). Once more ends them at once.`);
  supervisor.stop();
  const killed = second.then(() => null);
  const ended = await Promise.race([supervisor.exited, killed]);
  if (ended === null) {
    say("Ending them at once.");
    supervisor.kill();
    await supervisor.exited;
    return EXIT_KILLED;
  }
  // So early that it did not listen to signals yet: then it had started nothing.
  const wasStarting = ended.signal === "SIGTERM";
  if (ended.code !== 0 && !wasStarting) return complainOf(ended);
  say("Stopped.");
  return EXIT_STOPPED;
}

function complainOf({ code, signal, words }: Ended): number {
  process.stderr.write(`demo: the supervisor ended by itself (${signal ?? `exit code ${code ?? "unknown"}`})\n${words}\n`);
  return EXIT_CANNOT_START;
}

/** A terminal that is gone must not keep anything running. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.stdout.on("error", () => undefined);
try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof SupervisorError)) throw error;
  process.stderr.write(`demo: ${messageOf(error)}\n${error.code === "usage" ? `\n${usageText}` : ""}`);
  process.exit(error.code === "usage" ? EXIT_USAGE : EXIT_CANNOT_START);
}
