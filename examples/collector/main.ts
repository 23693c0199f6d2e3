/**
 * The stand-in Collector: command line, texts and exit codes of the real one, for tests and for the demo where no real
 * Collector is present. Each command loads only what it needs, because tests start it hundreds of times.
 */
import { parseArguments, type Arguments } from "./arguments.js";
import { IDENTITY } from "./identity.js";
import { printError, printOut } from "./output.js";
import { HELP } from "./usage.js";

try {
  // Output is written synchronously, so that nothing is lost; signal listeners and idle timers must not hold the process.
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  printError(`${IDENTITY.command}: a bug of the stand-in: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(70);
}

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(argv, IDENTITY.command);
  if (!parsed.ok) return fail(parsed.error);
  const { args } = parsed;
  if (args.help) return succeed(HELP);
  if (args.version) return succeed(`${IDENTITY.command} version ${IDENTITY.version} (${IDENTITY.description})\n`);
  const { parseGates } = await import("./gates.js");
  const gates = parseGates(args.gates);
  if (!gates.ok) return fail(gates.error);
  if (args.command === "components") return succeed((await import("./print-components.js")).printComponents());
  if (args.command === "featuregate") return featureGate(args);
  if (args.config.length === 0) return fail("at least one config flag must be provided");
  const request = { sources: args.config, set: args.set, gates: gates.enabled, environment: process.env };
  if (args.command === "validate") return finish(await (await import("./validate.js")).validate(request));
  if (args.command === "print-config") {
    const printed = (await import("./validate.js")).printConfig(request);
    return printed.ok ? succeed(printed.text) : fail(printed.error);
  }
  return finish(await (await import("./run.js")).run(request));
}

async function featureGate(args: Arguments): Promise<number> {
  const { listGates, showGate } = await import("./gates.js");
  const [id] = args.operands;
  if (id === undefined) return succeed(listGates());
  const page = showGate(id);
  return page === undefined ? fail(`feature ${JSON.stringify(id)} not found`) : succeed(page);
}

function succeed(text: string): number {
  printOut(text);
  return 0;
}

function fail(error: string): number {
  printError(`Error: ${error}\n`);
  return 1;
}

function finish(error: string | null): number {
  return error === null ? 0 : fail(error);
}
