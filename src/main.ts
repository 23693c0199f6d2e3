/**
 * Arguments to command; settings to a running supervisor; signals and exit codes. The only file that touches `process`.
 *
 * Exit codes: 0 stopped, 1 cannot start (one readable message on stderr), 2 wrong usage, 70 a bug (EX_SOFTWARE).
 */
import { parseArguments, usageText } from "./arguments.js";
import { messageOf, SupervisorError } from "./lib/error.js";
import type { RunningSupervisor } from "./run.js";
import { VERSION } from "./version.js";

const EXIT_STOPPED = 0;
const EXIT_CANNOT_START = 1;
const EXIT_USAGE = 2;
const EXIT_BUG = 70;

async function main(): Promise<number> {
  const command = parseArguments(process.argv.slice(2));
  switch (command.is) {
    case "help":
      process.stdout.write(usageText);
      return EXIT_STOPPED;
    case "version":
      process.stdout.write(`opampsupervisor ${VERSION}\n`);
      return EXIT_STOPPED;
    case "usage-error":
      process.stderr.write(`${command.message}\n\n${usageText}`);
      return EXIT_USAGE;
    case "run":
      return run(command.source);
  }
}

async function run(source: string): Promise<number> {
  const life: { running: RunningSupervisor | null; stopping: string | null } = { running: null, stopping: null };
  const kill = (): void => life.running?.kill();
  const isStopping = (): boolean => life.stopping !== null;
  // From the first moment, before the program itself is loaded: a signal while it starts is a wish to stop like any other.
  const stop = (signal: NodeJS.Signals): void => {
    if (life.stopping !== null) {
      kill();
      process.exit(EXIT_STOPPED);
    }
    life.stopping = `received ${signal}`;
    life.running?.stop(life.stopping);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => life.running?.onHangup());
  process.on("uncaughtException", (error) => bug(error, kill));
  process.on("unhandledRejection", (error) => bug(error, kill));
  try {
    const { runSupervisor } = await import("./run.js");
    if (isStopping()) return EXIT_STOPPED;
    life.running = await runSupervisor({ source, env: process.env, cwd: workingDirectory() });
    if (life.stopping !== null) life.running.stop(life.stopping);
    await life.running.finished;
    return EXIT_STOPPED;
  } catch (error) {
    if (!(error instanceof SupervisorError)) return bug(error, kill);
    process.stderr.write(`opampsupervisor: ${messageOf(error)}\n`);
    return EXIT_CANNOT_START;
  }
}

/** Relative paths need it, and somebody may have removed it. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new SupervisorError("settings", "the working directory is gone or cannot be read; start from another one", { cause: error });
  }
}

/** Nobody can say what state we are in: end what we started and let the service manager begin afresh. */
function bug(error: unknown, kill: () => void): never {
  kill();
  process.stderr.write(`opampsupervisor: bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT_BUG);
}

process.exit(await main());
