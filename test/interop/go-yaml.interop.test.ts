/**
 * Go's YAML library, which the Collector decodes its configuration with, reads the same from a composed text as from the
 * file that went into it, and the same as when `scalars.decoded.txt` was recorded. UPDATE_GOLDEN=1 records it anew.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const FIXTURES = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/compose-scalars");
const RECORDED = join(FIXTURES, "scalars.decoded.txt");
/** Built by `setup.ts`; empty without Go. */
const program = process.env["GO_YAML"] ?? "";

describe.skipIf(program === "")("Go's YAML library", () => {
  const decode = (file: string): string => execFileSync(program, [join(FIXTURES, file)], { encoding: "utf8" });

  test("reads the source as recorded", () => {
    const decoded = decode("scalars.yaml");
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(RECORDED, decoded);
    expect(decoded).toBe(readFileSync(RECORDED, "utf8"));
  });

  test("reads the composed text as the source", () => {
    const lines = decode("scalars.composed.yaml").split("\n");
    const ours = /^\/"(?:extensions|service|processors)"/;
    expect(lines.filter((line) => !ours.test(line))).toEqual(readFileSync(RECORDED, "utf8").split("\n"));
    expect(lines.filter((line) => ours.test(line)).length).toBeGreaterThan(5);
  });
});
