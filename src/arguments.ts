/**
 * The command line, in the style of Go's `flag` package, because service units and scripts of the Go supervisor call
 * this program too: one or two dashes, `--flag value` or `--flag=value`, everything after the first word that is not a
 * flag is ignored.
 */
export type Command =
  | { readonly is: "run"; readonly source: string; readonly featureGates: readonly string[] }
  | { readonly is: "help" }
  | { readonly is: "version" }
  | { readonly is: "usage-error"; readonly message: string };

/**
 * @param argv without node and script. An absent `--config` gives the source "", which `loadSettings` refuses: in Go that
 * is a failed start, not wrong usage.
 */
export function parseArguments(argv: readonly string[]): Command {
  let source = "";
  const gates = new Set<string>();
  for (let index = 0; index < argv.length; index++) {
    const flag = splitFlag(argv[index] ?? "");
    if (flag === null) break;
    switch (flag.name) {
      case "":
        return wrong(`bad flag syntax: ${argv[index] ?? ""}`);
      case "h":
      case "help":
        return { is: "help" };
      case "version":
        return { is: "version" };
      case "config":
      case "feature-gates": {
        const value = flag.value ?? argv[++index];
        if (value === undefined) return wrong(`flag needs an argument: -${flag.name}`);
        if (flag.name === "config") source = value;
        else {
          const unknown = applyGates(value, gates);
          if (unknown !== null) return wrong(gateText(value, unknown));
        }
        break;
      }
      default:
        return wrong(`flag provided but not defined: -${flag.name}${hint(flag.name)}`);
    }
  }
  return { is: "run", source, featureGates: [...gates] };
}

export const usageText = `usage: opampsupervisor --config=supervisor.yaml

Runs an OpenTelemetry Collector under the control of an OpAMP server.

  --config=SOURCE          the settings: a path, file:PATH, or env:NAME for YAML in a variable
  --feature-gates=LIST     comma separated: ID or +ID switches on, -ID off; may repeat
                           (known: opampsupervisor.Extensions, which has no effect yet)
  --version                print the version
  -h, --help               print this

SIGTERM or SIGINT stops the Collector, then the supervisor; a second one ends both at once.
Exit codes: 0 stopped, 1 cannot start, 2 wrong usage, 70 a bug.
`;

const FEATURE_GATES: readonly string[] = ["opampsupervisor.Extensions"];

interface Flag {
  /** "" for bad syntax. */
  readonly name: string;
  readonly value: string | null;
}

/** Null for the first word that is not a flag, and for `--`, which ends the flags. */
function splitFlag(argument: string): Flag | null {
  if (argument === "--" || !/^-./s.test(argument)) return null;
  const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument);
  return { name: match?.[1] ?? "", value: match?.[2] ?? null };
}

/** Switches gates on and off in order; answers the first unknown id. */
function applyGates(list: string, gates: Set<string>): string | null {
  for (const item of list.split(",")) {
    const id = item.replace(/^[+-]/, "");
    if (!FEATURE_GATES.includes(id)) return id;
    if (item.startsWith("-")) gates.delete(id);
    else gates.add(id);
  }
  return null;
}

function gateText(value: string, unknown: string): string {
  return `invalid value ${JSON.stringify(value)} for flag -feature-gates: no such feature gate ${JSON.stringify(unknown)}; known: ${FEATURE_GATES.join(", ")}`;
}

function hint(name: string): string {
  if (/^(c|conf|cfg|config-?file|configuration)$/i.test(name)) return ", did you mean --config?";
  if (/^(v|V)$/.test(name)) return ", did you mean --version?";
  if (name === "set") return "; settings are changed in the file, e.g. with ${env:NAME}";
  return "";
}

function wrong(message: string): Command {
  return { is: "usage-error", message };
}
