/** A health message of the extension, and what it amounts to. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/core/values.js";
import { ComponentHealthSchema, type ComponentHealth } from "../../src/gen/opamp/v1/opamp_pb.js";
import { errorOf, judge } from "../../src/opamp/verdict.js";

describe("verdict", () => {
  const rows: [boolean, string, string, Verdict | null, ReturnType<typeof judge>][] = [
    [true, "StatusOK", "", null, "healthy"],
    [true, "StatusOK", "", "unhealthy", "healthy"],
    [true, "", "", null, "probably-healthy"],
    [true, "fine", "", "unhealthy", "probably-healthy"],
    [false, "StatusOK", "", "healthy", "unhealthy"],
    [false, "StatusStarting", "", null, "starting"],
    [true, "StatusStarting", "", null, "starting"],
    [false, "StatusStopping", "", "healthy", "stopping"],
    [false, "StatusStopped", "", "healthy", "stopping"],
    [false, "StatusStopping", "boom", "healthy", "stopping"],
    [false, "StatusRecoverableError", "", "healthy", "unhealthy"],
    [false, "StatusPermanentError", "x", null, "unhealthy"],
    [false, "StatusFatalError", "x", "starting", "unhealthy"],
    [false, "", "", null, "starting"],
    [false, "", "", "starting", "starting"],
    [false, "", "", "healthy", "stopping"],
    [false, "", "", "unhealthy", "stopping"],
    [false, "", "no disk", null, "unhealthy"],
  ];
  test.each(rows)("healthy %s, status %j, error %j, after %s: %s", (healthy, status, lastError, before, verdict) => {
    expect(judge({ healthy, status, lastError }, before)).toBe(verdict);
  });
});

function tree(status: string, lastError: string, children: Record<string, ComponentHealth> = {}): ComponentHealth {
  return create(ComponentHealthSchema, { healthy: status === "StatusOK", status, lastError, componentHealthMap: children });
}

describe("the error of a tree", () => {
  test("is that of the innermost component, with the way to it", () => {
    const health = tree("StatusRecoverableError", "outer", {
      extensions: tree("StatusOK", ""),
      "pipeline:traces": tree("StatusRecoverableError", "middle", {
        "exporter:otlp/a": tree("StatusRecoverableError", "connection refused"),
        "receiver:otlp": tree("StatusOK", ""),
      }),
    });
    expect(errorOf(health)).toBe("pipeline:traces, exporter:otlp/a: connection refused");
  });

  test("counts the others, each text once", () => {
    const failing = (error: string): ComponentHealth => tree("StatusPermanentError", error);
    const health = tree("StatusPermanentError", "", { b: failing("two"), a: failing("one"), c: failing("one"), d: failing("three") });
    expect(errorOf(health)).toBe("a: one (and 2 other errors)");
  });

  test("is the status where there is no text", () => {
    expect(errorOf(tree("StatusRecoverableError", ""))).toBe("it reports StatusRecoverableError");
    expect(errorOf(tree("", ""))).toBe("it reports to be unhealthy");
    expect(errorOf(tree("StatusFatalError", "", { "receiver:x": tree("StatusFatalError", "") }))).toBe("receiver:x: StatusFatalError");
  });

  test("is bounded in length, depth and width", () => {
    expect(errorOf(tree("", "x".repeat(10_000)))).toBe(`${"x".repeat(2_000)}…`);
    let deep = tree("StatusFatalError", "at the bottom");
    for (let level = 0; level < 90; level++) deep = tree("StatusFatalError", "on the way", { a: deep });
    expect(errorOf(deep)).toMatch(/^(a, ){31}a: on the way$/);
    const wide = tree("StatusFatalError", "", Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`c${index}`, tree("StatusFatalError", `e${index}`)])));
    expect(errorOf(wide)).toBe("c0: e0 (and 9999 other errors)");
  });
});
