/** The command line of the example server. */
import { parseArgs } from "node:util";
import { messageOf, SupervisorError } from "../../src/lib/error.js";
import { OPAMP_PORT, OTLP_PORT, PAGE_PORT, type OpampServerOptions } from "./opamp-server.js";

export const usageText = `An example OpAMP server with a web page, to try agents with. It has no login: not for production.

  --host ADDRESS        where OpAMP listens (0.0.0.0)
  --opamp-port PORT     (${OPAMP_PORT}), path /v1/opamp: wss and https, or ws and http with --no-tls
  --page-host ADDRESS   where the web page listens (as --host)
  --page-port PORT      (${PAGE_PORT})
  --otlp-port PORT|off  OTLP/HTTP sink for the agents' own telemetry, on 127.0.0.1 (${OTLP_PORT})
  --no-tls              OpAMP without TLS
  --data DIRECTORY      certificates and saved configurations (./demo-data/server)
  --quiet               no line for each message
  --help
`;

export interface Arguments {
  readonly isHelp: boolean;
  readonly isQuiet: boolean;
  readonly server: OpampServerOptions;
}

const PORT_MAX = 65_535;

/** Throws a `SupervisorError` with code `usage`. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = read(args);
  const host = values.host;
  return {
    isHelp: values.help,
    isQuiet: values.quiet,
    server: {
      dataDirectory: values.data,
      tls: !values["no-tls"],
      host,
      opampPort: port("--opamp-port", values["opamp-port"]),
      pageHost: values["page-host"] ?? host,
      pagePort: port("--page-port", values["page-port"]),
      otlpPort: values["otlp-port"] === "off" ? null : port("--otlp-port", values["otlp-port"]),
    },
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string", default: "0.0.0.0" },
        "opamp-port": { type: "string", default: String(OPAMP_PORT) },
        "page-host": { type: "string" },
        "page-port": { type: "string", default: String(PAGE_PORT) },
        "otlp-port": { type: "string", default: String(OTLP_PORT) },
        "no-tls": { type: "boolean", default: false },
        data: { type: "string", default: "./demo-data/server" },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new SupervisorError("usage", messageOf(error), { cause: error });
  }
}

function port(flag: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > PORT_MAX) throw new SupervisorError("usage", `${flag} must be a port between 0 and ${PORT_MAX}, got ${text}`);
  return number;
}
