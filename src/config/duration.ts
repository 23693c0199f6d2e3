/**
 * Durations as Go writes them: `30s`, `1m30s`, `1.5h`, `100ms`. The grammar is that of Go's `time.ParseDuration`, because
 * the same files serve the Go supervisor.
 */
export type ParsedDuration =
  | { readonly ok: true; readonly nanoseconds: number }
  | { readonly ok: false; readonly reason: string };

export function parseDuration(text: string): ParsedDuration {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const sign = match?.[1] === "-" ? -1 : 1;
  let rest = match?.[2] ?? "";
  if (rest === "0") return { ok: true, nanoseconds: 0 };
  if (rest === "") return { ok: false, reason: "is empty" };
  let total = 0;
  while (rest !== "") {
    const group = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (group === null) return { ok: false, reason: "is not a duration" };
    const unit = group[2] ?? "";
    const factor = NANOSECONDS.get(unit);
    if (unit === "") return { ok: false, reason: "is a duration with a missing unit" };
    if (factor === undefined) return { ok: false, reason: "is a duration with an unknown unit" };
    total += Number(group[1]) * factor;
    rest = rest.slice(group[0].length);
  }
  if (total > NANOSECONDS_MAX) return { ok: false, reason: "is too long a duration" };
  return { ok: true, nanoseconds: sign * total };
}

/** Whole milliseconds, rounded up so that a positive duration never becomes zero. */
export function toMilliseconds(nanoseconds: number): number {
  return Math.ceil(nanoseconds / 1_000_000);
}

/** Go keeps durations in 63 bits. */
const NANOSECONDS_MAX = 2 ** 63;

/** Both spellings of micro, as Go. */
const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3],
  ["\u03bcs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3_600e9],
]);
