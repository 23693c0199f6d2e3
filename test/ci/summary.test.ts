/** The closing line of .ci/run: what it counts, and what makes it a failure. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "summary-"));
afterAll(() => rmSync(directory, { recursive: true }));

const SKIPS = "# a comment\n\nno-go | test/interop/ | needs Go\nas-root | test/a.test.ts | root reads everything\n";

function summary(report: { tests?: Record<string, string[]>; broken?: string; code?: number }, ...more: string[]): { code: number | null; lines: string[] } {
  const files = Object.entries(report.tests ?? {}).map(([name, statuses]) => ({
    name: resolve(name),
    status: statuses.includes("failed") ? "failed" : "passed",
    message: "",
    assertionResults: statuses.map((status, index) => ({ status, fullName: `test ${index + 1}` })),
  }));
  if (report.broken !== undefined) files.push({ name: resolve(report.broken), status: "failed", message: "cannot import", assertionResults: [] });
  writeFileSync(join(directory, "skips.txt"), SKIPS);
  writeFileSync(join(directory, "unit.json"), JSON.stringify({ testResults: files }));
  const args = [".ci/summary.js", "--skips", join(directory, "skips.txt"), "--report", `${report.code ?? 0}:${join(directory, "unit.json")}`, ...more];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { code: status, lines: stdout.trimEnd().split("\n") };
}

it("passes when every test passed", () => {
  expect(summary({ tests: { "test/a.test.ts": ["passed", "passed"], "test/b.test.ts": ["passed"] } })).toEqual({
    code: 0,
    lines: ["3 passed, 0 failed, 0 skipped"],
  });
});

it("adds up several reports", () => {
  const again = ["--report", `0:${join(directory, "unit.json")}`];
  expect(summary({ tests: { "test/a.test.ts": ["passed"] } }, ...again)).toEqual({ code: 0, lines: ["2 passed, 0 failed, 0 skipped"] });
});

it("names each failed test and fails", () => {
  expect(summary({ tests: { "test/a.test.ts": ["passed", "failed"] }, code: 1 })).toEqual({
    code: 1,
    lines: ["FAILED: test/a.test.ts > test 2", "1 passed, 1 failed, 0 skipped"],
  });
});

it("counts a file that could not be run", () => {
  expect(summary({ tests: { "test/a.test.ts": ["passed"] }, broken: "test/b.test.ts", code: 1 })).toEqual({
    code: 1,
    lines: ["FAILED: test/b.test.ts did not run: cannot import", "1 passed, 1 failed, 0 skipped"],
  });
});

it("fails when the run failed although each test passed", () => {
  expect(summary({ tests: { "test/a.test.ts": ["passed"] }, code: 124 })).toEqual({
    code: 1,
    lines: ["FAILED: the tests of unit ended with exit code 124", "1 passed, 1 failed, 0 skipped"],
  });
});

it("counts a failed step", () => {
  expect(summary({ tests: { "test/a.test.ts": ["passed"] } }, "--failed-step", "lint")).toEqual({
    code: 1,
    lines: ["FAILED: step lint", "1 passed, 1 failed, 0 skipped"],
  });
});

it("fails without any test", () => {
  expect(summary({})).toEqual({ code: 1, lines: ["FAILED: no test passed", "0 passed, 1 failed, 0 skipped"] });
});

it("lets a listed test be skipped where its condition holds, and says why", () => {
  const tests = { "test/a.test.ts": ["passed"], "test/interop/x.interop.test.ts": ["skipped"] };
  expect(summary({ tests }, "--condition", "no-go")).toEqual({
    code: 0,
    lines: ["skipped: test/interop/x.interop.test.ts > test 1 (needs Go)", "1 passed, 0 failed, 1 skipped"],
  });
});

it("fails for the same test where its condition does not hold", () => {
  const tests = { "test/a.test.ts": ["passed"], "test/interop/x.interop.test.ts": ["skipped"] };
  expect(summary({ tests }, "--condition", "as-root")).toEqual({
    code: 1,
    lines: ["FAILED: skipped, but not listed for this machine: test/interop/x.interop.test.ts > test 1", "1 passed, 1 failed, 1 skipped"],
  });
});

it.each(["pending", "todo", "skipped"])("fails for a test that nobody listed and that is %s", (status) => {
  const { code, lines } = summary({ tests: { "test/a.test.ts": ["passed"], "test/b.test.ts": [status] } }, "--condition", "as-root");
  expect(code).toBe(1);
  expect(lines.at(-1)).toBe("1 passed, 1 failed, 1 skipped");
});

it("prints the closing line even if a report was cut off", () => {
  writeFileSync(join(directory, "cut.json"), '{"testResults": [');
  const { code, lines } = summary({ tests: { "test/a.test.ts": ["passed"] } }, "--report", `137:${join(directory, "cut.json")}`);
  expect(code).toBe(1);
  expect(lines.at(-1)).toBe("1 passed, 1 failed, 0 skipped");
});
