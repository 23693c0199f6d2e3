/** Durations in nanoseconds, read and written as Go does. */
export type DurationResult = { readonly ok: true; readonly nanoseconds: bigint } | { readonly ok: false; readonly error: string };

const UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);

/** The error leaves the value out, because the Collector does so too. */
export function readDuration(text: string): DurationResult {
  const [, sign = "", body = ""] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  if (body === "0") return { ok: true, nanoseconds: 0n };
  let total = 0;
  let rest = body;
  if (rest === "") return { ok: false, error: "time: invalid duration" };
  while (rest !== "") {
    const [whole, number = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (whole === undefined) return { ok: false, error: "time: invalid duration" };
    if (unit === "") return { ok: false, error: "time: missing unit in duration" };
    const factor = UNITS.get(unit);
    if (factor === undefined) return { ok: false, error: "time: unknown unit in duration" };
    total += Number(number) * factor;
    rest = rest.slice(whole.length);
  }
  return { ok: true, nanoseconds: BigInt(Math.round(sign === "-" ? -total : total)) };
}

/** `90s` is written `1m30s`, `1500ms` is written `1.5s`. */
export function writeDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < 0n) return `-${writeDuration(-nanoseconds)}`;
  const total = Number(nanoseconds);
  if (total < 1e3) return `${total}ns`;
  if (total < 1e6) return `${total / 1e3}µs`;
  if (total < 1e9) return `${total / 1e6}ms`;
  const hours = Math.floor(total / 3600e9);
  const minutes = Math.floor(total / 60e9) % 60;
  const seconds = `${(total % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** Whole milliseconds of a duration that has been decoded. */
export function milliseconds(text: string): number {
  const result = readDuration(text);
  return result.ok ? Number(result.nanoseconds) / 1e6 : 0;
}
