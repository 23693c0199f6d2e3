/** Figures as text: every sample as it is taken, and one table in the end. */
import type { Finding, Samples, Unit } from "./row.js";
import { median } from "./samples.js";

const DIGITS: Readonly<Record<Unit, number>> = { ms: 0, MB: 1, "%": 3, starts: 0, files: 0 };

export function findingText(finding: Finding): string {
  const { bare, go, ours, unit, what } = finding;
  const line = (name: string, samples: Samples): string =>
    `  ${name.padEnd(8)} n=${samples.length}  median ${figure(median(samples), unit)}  (${samples.map((sample) => digits(sample, unit)).join(", ")})`;
  return [
    `${what}: ${verdict(finding)}`,
    ...(bare === null ? [] : [`${line("bare", bare.samples)}  ${bare.what}`]),
    line("ours", ours),
    ...(go.length === 0 ? [] : [line("Go", go)]),
    "",
  ].join("\n");
}

export function tableText(findings: readonly Finding[]): string {
  const rows = [["what", "limit", "bare", "ours", "ours - bare", "Go", ""], ...findings.map(cells)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
}

/** pass, over, or why there is no verdict. */
export function verdict({ limit, ours }: Finding): string {
  if (!Number.isFinite(median(ours))) return "not measured";
  if (limit === null || !Number.isFinite(limit.value)) return "no limit";
  return median(ours) < limit.value ? "pass" : "over";
}

function cells(finding: Finding): string[] {
  const { bare, go, limit, ours, unit, what } = finding;
  const baseline = bare === null ? null : median(bare.samples);
  return [
    what,
    limit?.words ?? "-",
    baseline === null ? "-" : figure(baseline, unit),
    figure(median(ours), unit),
    baseline === null ? "-" : figure(median(ours) - baseline, unit),
    go.length === 0 ? "-" : figure(median(go), unit),
    verdict(finding),
  ];
}

function figure(value: number, unit: Unit): string {
  return `${digits(value, unit)} ${unit}`;
}

function digits(value: number, unit: Unit): string {
  return Number.isFinite(value) ? value.toFixed(DIGITS[unit]) : "none";
}
