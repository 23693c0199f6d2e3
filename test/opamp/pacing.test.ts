/** How long the client waits before it connects again. */
import { describe, expect, test } from "vitest";
import { Pacing } from "../../src/opamp/pacing.js";
import { parseRetryAfter } from "../../src/opamp/retry-after.js";
import { LogLines } from "./support.js";

const lost = { is: "lost", error: "" } as const;
const unwelcome = { is: "unwelcome", error: "" } as const;
const throttled = (retryAfterMs: number | null): { is: "throttled"; error: string; retryAfterMs: number | null } => ({ is: "throttled", error: "", retryAfterMs });

describe("pacing with the longest jitter", () => {
  const pacing = (): Pacing => new Pacing(() => 1, new LogLines());

  test("doubles from one second to five minutes", () => {
    const paces = pacing();
    expect(Array.from({ length: 11 }, () => paces.pauseMs(lost, null) / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test("grows for a server that answers and drops at once, and starts anew after a useful connection", () => {
    const paces = pacing();
    expect([10, 20, 9_999].map((usefulMs) => paces.pauseMs(lost, usefulMs))).toEqual([1_000, 2_000, 4_000]);
    expect([paces.pauseMs(lost, 10_000), paces.pauseMs(lost, null)]).toEqual([0, 1_000]);
  });

  test("never comes back sooner than 30 s to a server that refuses us or names no delay", () => {
    const paces = pacing();
    expect([paces.pauseMs(unwelcome, null), paces.pauseMs(throttled(null), 60_000)]).toEqual([31_000, 31_000]);
  });

  test("honours the delay that a server names, also a short one, with jitter on top", () => {
    const paces = pacing();
    expect([4_000, 120_000, 0].map((delay) => paces.pauseMs(throttled(delay), null))).toEqual([5_000, 150_000, 1_250]);
  });

  test("caps an absurd delay at an hour and says so", () => {
    const log = new LogLines();
    const paces = new Pacing(() => 0, log);
    expect(paces.pauseMs(throttled(1e15), null)).toBe(3_600_000);
    expect(log.lines).toEqual([{ level: "warn", message: "Server asks for a very long delay, capping it", fields: { asked_ms: 1e15, capped_ms: 3_600_000 } }]);
  });
});

describe("jitter", () => {
  test("is full for backoff and never shortens what the server asked for", () => {
    const paces = new Pacing(() => 0, new LogLines());
    expect([paces.pauseMs(lost, null), paces.pauseMs(unwelcome, null), paces.pauseMs(throttled(7_000), null)]).toEqual([0, 30_000, 7_000]);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 0);
  test.each([
    ["3", 3_000],
    [" 0 ", 0],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37_000],
    ["Sun Nov  6 08:49:37 1994", 37_000],
    ["Sun, 06 Nov 1994 08:00:00 GMT", 0],
    ["-3", null],
    ["1.5", null],
    ["soon 5", null],
    ["Sun, nonsense", null],
    ["", null],
  ])("%j", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  test("absent", () => {
    expect(parseRetryAfter(undefined, now)).toBeNull();
  });
});
