/**
 * `npm run bench`: measures the supervisor with a real Collector, in alternation with the Go supervisor and with bare
 * processes. It is a measurement and no test: a figure over its limit is printed, and the exit code is 0 all the same;
 * 1 means that something could not be measured, 2 wrong usage.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArguments, usageText, type Arguments } from "./arguments.js";
import { Leftovers } from "./leftovers.js";
import { findingText, tableText, verdict } from "./print.js";
import { findPrograms, type Programs } from "./programs.js";
import type { Bench, Finding, Row } from "./row.js";
import { allRows } from "./rows/all.js";
import { median } from "./samples.js";

/** From dist/bench/main.js. */
const OUR_PROGRAM = fileURLToPath(new URL("../../bin/opampsupervisor.js", import.meta.url));
const STAND_IN = fileURLToPath(new URL("../../examples/collector/standin-collector", import.meta.url));
const EXIT_NOT_MEASURED = 1;
const EXIT_USAGE = 2;

async function main(): Promise<number> {
  let options: Arguments;
  try {
    options = parseArguments(process.argv.slice(2), process.env, allRows);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usageText.replace("ROWS", allRows.map(({ name }) => name).join(", "))}`);
    return EXIT_USAGE;
  }
  const leftovers = new Leftovers();
  process.on("exit", () => leftovers.endAll());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(EXIT_NOT_MEASURED));
  try {
    return await measure(options, findPrograms(options.collector, OUR_PROGRAM, process.env), leftovers);
  } catch (error) {
    console.error(`bench: ${messageOf(error)}`);
    return EXIT_NOT_MEASURED;
  }
}

async function measure(options: Arguments, programs: Programs, leftovers: Leftovers): Promise<number> {
  for (const [name, text] of Object.entries(programs.description)) console.log(`${name.padEnd(14)} ${text}`);
  console.log(`${"runs".padEnd(14)} ${options.runs}, in alternation, over ws://\n`);
  const findings: Finding[] = [];
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
    console.log(`note: ${text}`);
  };
  const bench: Bench = { runs: options.runs, collector: programs.collector, standIn: STAND_IN, supervisors: programs.supervisors, leftovers, note };
  let missing = 0;
  for (const row of options.rows) {
    const found = await findingsOf(row, bench);
    missing += found.length === 0 || found.some((finding) => verdict(finding) === "not measured") ? 1 : 0;
    findings.push(...found);
    for (const finding of found) console.log(findingText(finding));
  }
  if (findings.length > 0) console.log(`${tableText(findings)}\n`);
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, jsonOf(programs, options.runs, findings, notes));
  return missing === 0 ? 0 : EXIT_NOT_MEASURED;
}

/** None when the row failed; the others are measured all the same. */
async function findingsOf(row: Row, bench: Bench): Promise<readonly Finding[]> {
  try {
    return await row.measure(bench);
  } catch (error) {
    bench.note(`${row.name} could not be measured: ${messageOf(error)}`);
    bench.leftovers.endAll();
    return [];
  }
}

function jsonOf(programs: Programs, runs: number, findings: readonly Finding[], notes: readonly string[]): string {
  const rows = findings.map((finding) => ({
    ...finding,
    median: { ours: median(finding.ours), go: median(finding.go), bare: finding.bare === null ? null : median(finding.bare.samples) },
    verdict: verdict(finding),
  }));
  return `${JSON.stringify({ ...programs.description, runs, rows, notes }, null, 2)}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.exit(await main());
