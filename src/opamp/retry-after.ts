/** The HTTP header Retry-After: seconds, or a date in one of the three forms of RFC 9110. */
import type { Millis } from "../core/values.js";

/** Null: absent or unreadable. A date in the past means now. */
export function parseRetryAfter(header: string | undefined, unixMs: number): Millis | null {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // All forms name a day; without this test "5" or "soon 1" would be read as a year.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return null;
  // The form of C's asctime names no zone, and means GMT like the others.
  const date = Date.parse(/ GMT$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(date) ? null : Math.max(0, date - unixMs);
}
