/** Reads the command line by the rules of the real one: long flags with `=` or a following value, one-letter shorthands. */
export interface Arguments {
  /** The sub-command, or "" for the main mode. */
  readonly command: Command;
  readonly operands: readonly string[];
  readonly config: readonly string[];
  readonly gates: readonly string[];
  readonly set: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
}
export type Command = "" | "validate" | "components" | "featuregate" | "print-config" | "help";
export type ParsedArguments = { readonly ok: true; readonly args: Arguments } | { readonly ok: false; readonly error: string };

const WITH_VALUE = ["config", "feature-gates", "set"] as const;
const PRINT_CONFIG_ONLY = ["format", "mode"] as const;
const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["validate", "validate"],
  ["components", "components"],
  ["featuregate", "featuregate"],
  ["print-config", "print-config"],
  ["print-initial-config", "print-config"],
  ["help", "help"],
]);

export function parseArguments(argv: readonly string[], program: string): ParsedArguments {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      words.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      const error = longFlag(word, rest, flags, words[0]);
      if (error !== null) return { ok: false, error };
    } else if (word.startsWith("-") && word !== "-") {
      const error = shorthands(word, flags, words[0]);
      if (error !== null) return { ok: false, error };
    } else {
      words.push(word);
    }
  }
  const name = words.shift() ?? "";
  const command = name === "" ? "" : COMMANDS.get(name);
  if (command === undefined) {
    return { ok: false, error: `unknown command ${JSON.stringify(name)} for ${JSON.stringify(program)}\nRun '${program} --help' for usage.` };
  }
  for (const pair of flags.get("set") ?? []) {
    if (!pair.includes("=")) return { ok: false, error: `invalid argument ${JSON.stringify(pair)} for "--set" flag: missing equal sign` };
  }
  return {
    ok: true,
    args: {
      command,
      operands: words,
      config: flags.get("config") ?? [],
      gates: flags.get("feature-gates") ?? [],
      set: flags.get("set") ?? [],
      help: flags.has("help") || command === "help",
      version: flags.has("version"),
    },
  };
}

function longFlag(word: string, rest: string[], flags: Map<string, string[]>, command: string | undefined): string | null {
  const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === "help" || (name === "version" && command === undefined)) return switchFlag(name, value, flags);
  const printing = command !== undefined && COMMANDS.get(command) === "print-config";
  const known = WITH_VALUE.some((one) => one === name) || (printing && PRINT_CONFIG_ONLY.some((one) => one === name));
  if (!known) return `unknown flag: --${name}`;
  const given = value ?? rest.shift();
  if (given === undefined) return `flag needs an argument: --${name}`;
  flags.set(name, [...(flags.get(name) ?? []), given]);
  return null;
}

function switchFlag(name: "help" | "version", value: string | undefined, flags: Map<string, string[]>): string | null {
  if (value === undefined || ["1", "t", "T", "true", "TRUE", "True"].includes(value)) flags.set(name, []);
  else if (!["0", "f", "F", "false", "FALSE", "False"].includes(value)) {
    const quoted = JSON.stringify(value);
    return `invalid argument ${quoted} for "-${name.slice(0, 1)}, --${name}" flag: strconv.ParseBool: parsing ${quoted}: invalid syntax`;
  }
  return null;
}

function shorthands(word: string, flags: Map<string, string[]>, command: string | undefined): string | null {
  for (const letter of word.slice(1)) {
    if (letter === "h") flags.set("help", []);
    else if (letter === "v" && command === undefined) flags.set("version", []);
    else return `unknown shorthand flag: '${letter}' in ${word}`;
  }
  return null;
}
