/**
 * Scalars that a careless program changes, through the whole composition. `scalars.decoded.txt` is what Go's YAML library
 * reads from `scalars.yaml`; the interop test holds that it reads the same from `scalars.composed.yaml`, and this one that
 * the composition still gives these bytes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { composeConfig } from "../../src/config/compose.js";
import { printYaml } from "../../src/config/yaml-print.js";
import { readYaml } from "../../src/config/yaml-read.js";
import { composeInput, remoteConfig } from "./compose-input.js";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/compose-scalars");
const SOURCE = readFileSync(join(FOLDER, "scalars.yaml"), "utf8");

test("the composed text is the one that Go was shown", async () => {
  const input = composeInput({ configFiles: [join(FOLDER, "scalars.yaml")], remote: remoteConfig({ "": "processors: {batch: }" }) });
  const { prepared } = await composeConfig(input, new AbortController().signal);
  const expected = join(FOLDER, "scalars.composed.yaml");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(expected, prepared.text);
  expect(prepared.text).toBe(readFileSync(expected, "utf8"));
});

test("reading what was printed and printing it again changes nothing", () => {
  const once = reprint(SOURCE);
  expect(reprint(once)).toBe(once);
});

test.each([
  "0123",
  "1.0",
  "9223372036854775807",
  "12345678901234567",
  "0x1F",
  "1_000",
  "yes",
  "~",
  ".inf",
  "2001-01-01",
  '"0123"',
  '"yes"',
  "${env:X}",
  '"a: b"',
  "{}",
  "[]",
  '!!binary "aGVsbG8="',
])("%s stays as it is", (scalar) => {
  expect(reprint(`a:\n  b: ${scalar}\n  c:\n    - ${scalar}\n`)).toBe(`a:\n  b: ${scalar}\n  c:\n    - ${scalar}\n`);
});

test.each([
  ["", "null"],
  ["'0123'", '"0123"'],
  ["'foo'", "foo"],
  ["!!str 0123", '"0123"'],
  ["!custom 0123", '"0123"'],
  ["! 0123", "0123"],
  [`"say \\"hi\\""`, `'say "hi"'`],
  ["|\n    one\n    two", "|\n    one\n    two"],
  ["|-\n    one\n\n    two", "|-\n    one\n\n    two"],
  ["|\n    \ttab first", '"\\ttab first\\n"'],
  ["|2\n      indented\n    less", '"  indented\\nless\\n"'],
  [">\n    one\n    two", '"one two\\n"'],
  ['"\\x7f\\N\\L\\uFEFF"', '"\\u007f\\u0085\\u2028\\ufeff"'],
])("%j is printed as %j", (scalar, printed) => {
  expect(reprint(`a:\n  b: ${scalar}\n`)).toBe(`a:\n  b: ${printed}\n`);
});

function reprint(source: string): string {
  const root = readYaml(source, "a file");
  return root === null ? "" : printYaml(root);
}
