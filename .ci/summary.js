/**
 * Adds up what .ci/run did and prints the closing line. Skipped tests must stand in the list of skips, under a condition
 * that holds on this machine; each other one, each failed step and a run without tests count as failures.
 *
 * node .ci/summary.js --skips FILE [--condition NAME]... [--failed-step NAME]... [--report EXIT-CODE:FILE]...
 */
import { readFileSync } from "node:fs";
import { basename, relative } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    skips: { type: "string", default: "" },
    condition: { type: "string", multiple: true, default: [] },
    "failed-step": { type: "string", multiple: true, default: [] },
    report: { type: "string", multiple: true, default: [] },
  },
});

const total = { passed: 0, skipped: 0 };
const failures = values["failed-step"].map((name) => `step ${name}`);
const allowed = attempt(() => readSkips(values.skips).filter(({ condition }) => values.condition.includes(condition))) ?? [];

for (const report of values.report) attempt(() => addReport(report));
if (total.passed === 0) failures.push("no test passed");
for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(`${total.passed} passed, ${failures.length} failed, ${total.skipped} skipped`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** The closing line is printed in any case: what cannot be read is one failure more. */
function attempt(read) {
  try {
    return read();
  } catch (error) {
    failures.push(error.message);
    return undefined;
  }
}

/** A report of vitest's json reporter, and how the test run that wrote it ended. */
function addReport(argument) {
  const [code, path] = [argument.slice(0, argument.indexOf(":")), argument.slice(argument.indexOf(":") + 1)];
  const failuresBefore = failures.length;
  for (const file of JSON.parse(readFileSync(path, "utf8")).testResults) {
    const name = relative(process.cwd(), file.name);
    for (const test of file.assertionResults) {
      if (test.status === "passed") total.passed++;
      else if (test.status === "failed") failures.push(`${name} > ${test.fullName}`);
      else addSkip(name, test.fullName);
    }
    if (file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed")) {
      failures.push(`${name} did not run: ${file.message}`);
    }
  }
  // A time limit, or an error outside of any test, fails a run in which every test passed.
  if (code !== "0" && failures.length === failuresBefore) failures.push(`the tests of ${basename(path, ".json")} ended with exit code ${code}`);
}

function addSkip(file, test) {
  total.skipped++;
  const entry = allowed.find(({ place }) => (place.endsWith("/") ? file.startsWith(place) : file === place));
  if (entry === undefined) failures.push(`skipped, but not listed for this machine: ${file} > ${test}`);
  else console.log(`skipped: ${file} > ${test} (${entry.reason})`);
}

function readSkips(path) {
  if (path === "") return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [condition, place, reason] = line.split("|").map((part) => part.trim());
      if (!condition || !place || !reason) throw new Error(`${path}: a line needs condition | place | reason: ${line}`);
      return { condition, place, reason };
    });
}
