/** The command line of the demo. */
import { parseArgs } from "node:util";
import { messageOf, SupervisorError } from "../../src/lib/error.js";
import { OPAMP_PORT, OTLP_PORT, PAGE_PORT } from "../server/opamp-server.js";

export const usageText = `A demo: an OpAMP server with a web page, the supervisor, and a Collector.

  npm run demo -- [options]

  --ports auto              any free ports, for everything, the Collector's own metrics included
  --ports OPAMP,PAGE,OTLP   default ${OPAMP_PORT},${PAGE_PORT},${OTLP_PORT}
  --host ADDRESS            where OpAMP and the page listen (127.0.0.1); there is no login
  --data DIRECTORY          state and logs (./demo-data); delete it to begin anew
  --help

OTELCOL names the Collector to run; without it the PATH is searched for otelcol-contrib and otelcol.
`;

export interface Arguments {
  readonly isHelp: boolean;
  readonly host: string;
  /** As written. */
  readonly data: string;
  /** Null: any free ones. */
  readonly ports: Ports | null;
}

export interface Ports {
  readonly opamp: number;
  readonly page: number;
  readonly otlp: number;
}

const PORT_MAX = 65_535;

/** Throws a `SupervisorError` with code `usage`. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = read(args);
  return { isHelp: values.help, host: values.host, data: values.data, ports: values.ports === "auto" ? null : parsePorts(values.ports) };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ports: { type: "string", default: `${OPAMP_PORT},${PAGE_PORT},${OTLP_PORT}` },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string", default: "./demo-data" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new SupervisorError("usage", messageOf(error), { cause: error });
  }
}

function parsePorts(text: string): Ports {
  const [opamp, page, otlp, ...more] = text.split(",").map((word) => (/^\d+$/.test(word) ? Number(word) : PORT_MAX + 1));
  if (opamp === undefined || page === undefined || otlp === undefined || more.length > 0 || Math.max(opamp, page, otlp) > PORT_MAX) {
    throw new SupervisorError("usage", `--ports must be "auto" or three ports such as 14320,14321,14318, got ${text}`);
  }
  return { opamp, page, otlp };
}
