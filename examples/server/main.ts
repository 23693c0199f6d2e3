/** The example server as a program: says where everything is, then one line for each message. */
import { messageOf, SupervisorError } from "../../src/lib/error.js";
import { parseArguments, usageText } from "./arguments.js";
import { newsLine } from "./news-line.js";
import { startOpampServer, type OpampServer } from "./opamp-server.js";

const EXIT_CANNOT_START = 1;
const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const { isHelp, isQuiet, server: options } = parseArguments(process.argv.slice(2));
  if (isHelp) return say(usageText.trimEnd());
  const server = await startOpampServer(options);
  announce(server);
  if (!isQuiet) {
    server.fleet.on((news) => {
      const line = newsLine(news, server.fleet);
      if (line !== null) say(`${new Date(server.fleet.nowMs()).toISOString()} ${line}`);
    });
  }
  const stop = (): void => void server.close().then(() => process.exit(0));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

function announce(server: OpampServer): void {
  say(`OpAMP      ${server.webSocketUrl}`);
  say(`           ${server.httpUrl}`);
  if (server.caFile !== null) say(`its CA     ${server.caFile}`);
  if (server.otlpUrl !== null) say(`OTLP sink  ${server.otlpUrl}`);
  if (server.pageUrl !== null) say(`web page   ${server.pageUrl}`);
  for (const warning of server.warnings) say(`warning: ${warning}`);
  say("There is no login: whoever reaches the page can configure the agents. --page-host 127.0.0.1 keeps it on this machine.");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SupervisorError)) throw error;
  process.stderr.write(`opamp-server: ${messageOf(error)}\n${error.code === "usage" ? `\n${usageText}` : ""}`);
  process.exit(error.code === "usage" ? EXIT_USAGE : EXIT_CANNOT_START);
}
