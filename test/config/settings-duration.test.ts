/** Durations mean what Go's `time.ParseDuration` makes of them. */
import { describe, expect, test } from "vitest";
import { parseDuration, toMilliseconds } from "../../src/config/duration.js";

describe("accepted", () => {
  test.each([
    ["0", 0],
    ["+5s", 5e9],
    ["-1.5h", -5.4e12],
    ["1m30s", 90e9],
    [".5s", 5e8],
    ["1.s", 1e9],
    ["100ms", 1e8],
    ["3us", 3_000],
    ["3\u00b5s", 3_000],
    ["3\u03bcs", 3_000],
    ["7ns", 7],
    ["1h1m1s1ms", 3_661_001e6],
  ])("%s", (text, nanoseconds) => {
    expect(parseDuration(text)).toEqual({ ok: true, nanoseconds });
  });
});

describe("refused", () => {
  test.each([
    ["", "is empty"],
    ["-", "is empty"],
    ["30", "is a duration with a missing unit"],
    ["s", "is not a duration"],
    [".s", "is not a duration"],
    ["1d", "is a duration with an unknown unit"],
    ["3 s", "is a duration with an unknown unit"],
    ["1m30", "is a duration with a missing unit"],
    ["--1s", "is not a duration"],
    ["9999999999999h", "is too long a duration"],
    ["1e3s", "is a duration with an unknown unit"],
  ])("%j", (text, reason) => {
    expect(parseDuration(text)).toEqual({ ok: false, reason });
  });
});

test("a positive duration never becomes zero milliseconds", () => {
  expect([1, 999_999, 1_000_000, 1_000_001, 0].map(toMilliseconds)).toEqual([1, 1, 1, 2, 0]);
});
