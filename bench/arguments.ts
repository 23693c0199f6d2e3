/** The command line of the bench. */
import { parseArgs } from "node:util";
import type { Row } from "./row.js";

export interface Arguments {
  readonly rows: readonly Row[];
  readonly runs: number;
  readonly jsonFile: string | null;
  /** Empty: none was named. */
  readonly collector: string;
}

export const usageText = `usage: npm run bench -- [--only row,row] [--runs n] [--quick] [--json FILE] [COLLECTOR]

  COLLECTOR     a real OpenTelemetry Collector (or in the environment as OTELCOL)
  --only        these rows only, of: ROWS
  --runs        samples of each figure; default 5
  --quick       leaves out the rows that take minutes
  --json        writes all figures to FILE, too

GO_SUPERVISOR in the environment names the Go supervisor to compare with.
`;

const RUNS = 5;
const RUNS_MAX = 100;

/** Throws an error with a readable message for what cannot be understood. */
export function parseArguments(args: readonly string[], env: NodeJS.ProcessEnv, known: readonly Row[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { only: { type: "string" }, runs: { type: "string" }, quick: { type: "boolean" }, json: { type: "string" } },
  });
  if (positionals.length > 1) throw new Error(`one Collector at a time, not ${positionals.join(" and ")}`);
  return {
    rows: chosen(values.only, values.quick === true, known),
    runs: runsOf(values.runs),
    jsonFile: values.json ?? null,
    collector: positionals[0] ?? env["OTELCOL"] ?? "",
  };
}

function chosen(only: string | undefined, quick: boolean, known: readonly Row[]): readonly Row[] {
  const names = only?.split(",").map((name) => name.trim());
  const unknown = names?.find((name) => known.every((row) => row.name !== name));
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}", only ${known.map(({ name }) => name).join(", ")}`);
  return known.filter((row) => (names === undefined || names.includes(row.name)) && !(quick && row.isSlow === true));
}

function runsOf(text: string | undefined): number {
  const runs = text === undefined ? RUNS : Number(text);
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX) throw new Error(`--runs takes a number from 1 to ${RUNS_MAX}, not "${text ?? ""}"`);
  return runs;
}
