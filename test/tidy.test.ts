/** The boundaries of the program as absences in its text, and the samples that show that each rule can be broken. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, RULES, type Parsed, type Source } from "./tidy-rules.js";

const TOP = join(import.meta.dirname, "..");
const OPEN = "/** An idea. */\n";

/** What each rule must catch. */
const SAMPLES: readonly (readonly [rule: string, path: string, text: string])[] = [
  ["core imports only its own files, checks and words of lib, and types of gen", "src/core/a.ts", 'import { z } from "zod";'],
  ["core imports only its own files, checks and words of lib, and types of gen", "src/core/a.ts", 'import { A } from "../gen/a.js";'],
  ["core imports only its own files, checks and words of lib, and types of gen", "src/core/a.ts", 'import type { Clock } from "../lib/clock.js";'],
  ["core is synchronous and knows no clock and no chance", "src/core/a.ts", "const n = Math.random();"],
  ["core is synchronous and knows no clock and no chance", "src/core/a.ts", "const n = new Date(0);"],
  ["core is synchronous and knows no clock and no chance", "src/core/a.ts", "export async function f() {}"],
  ["only lib/clock.ts knows timers and clocks", "src/opamp/a.ts", "setTimeout(() => 1, 2);"],
  ["only lib/clock.ts knows timers and clocks", "src/opamp/a.ts", "globalThis.setInterval(() => 1, 2);"],
  ["only lib/clock.ts knows timers and clocks", "src/main.ts", "const n = Date.now();"],
  ["only lib/clock.ts knows timers and clocks", "src/opamp/a.ts", 'import { setTimeout } from "node:timers/promises";'],
  ["the wall clock is read only for what people and servers read", "src/opamp/a.ts", "const n = clock.unixNano();"],
  ["the wall clock is read only for what people and servers read", "src/supervisor.ts", "const n = this.#options.clock.unixNano();"],
  ["the edges do not import each other's values", "src/opamp/a.ts", 'import { b } from "../config/b.js";'],
  ["the edges do not import each other's values", "src/storage/a.ts", 'const b = await import("../collector/b.js");'],
  ["the edges and lib do not know the loop, its parts or main", "src/opamp/a.ts", 'import { perform } from "../perform.js";'],
  ["the edges and lib do not know the loop, its parts or main", "src/config/a.ts", 'import { step } from "../core/step.js";'],
  ["lib imports no values of the program", "src/lib/a.ts", 'import { b } from "../core/b.js";'],
  ["only opamp and storage know protobuf", "src/config/a.ts", 'import { create } from "@bufbuild/protobuf";'],
  ["only opamp and storage know protobuf", "src/perform.ts", 'import { A } from "./gen/a.js";'],
  ["only config and storage know YAML", "src/opamp/a.ts", 'import { parse } from "yaml";'],
  ["only collector starts processes", "src/storage/a.ts", 'import { spawn } from "node:child_process";'],
  ["only collector starts processes", "src/main.ts", 'const { execa } = await import("execa");'],
  ["only opamp knows ws", "src/run.ts", 'import { WebSocket } from "ws";'],
  ["only supervisor.ts calls step", "src/run.ts", 'import { step } from "./core/step.js";'],
  ["only perform.ts, and preparer.ts for it, performs effects", "src/run.ts", 'import type { Effect } from "./core/effect.js";'],
  ["only main.ts knows process.on, process.exit and the environment", "src/run.ts", "const path = process.env.PATH;"],
  ["only main.ts knows process.on, process.exit and the environment", "src/run.ts", 'process.on("SIGTERM", () => 1);'],
  ["no default exports", "src/a.ts", "export default 1;"],
  ["no default exports", "src/a.ts", "export default function f() {}"],
  ["no default exports", "src/a.ts", "const a = 1; export { a as default };"],
  ["no any", "src/a.ts", "const a: any = 1;"],
  ["no non-null assertions", "src/a.ts", "const a = b!.c;"],
  ["no enum of ours", "src/a.ts", "const enum A { B }"],
  ["imports of own files end in .js", "src/a.ts", 'import { b } from "./b";'],
  ["imports of Node's modules begin with node:", "src/a.ts", 'import { b } from "fs";'],
  ["files have at most 300 lines", "src/a.ts", "const a = 1;\n".repeat(300)],
  ["functions have at most 70 lines", "src/a.ts", `const f = () => {\n${"  a();\n".repeat(69)}};`],
  ["names of files are kebab-case", "src/someThing.ts", ""],
  ["no index.ts", "src/a/index.ts", ""],
  ["no folder for a kind of code", "src/utils/a.ts", ""],
  ["nothing is left to do", "src/a.ts", `// ${["TO", "DO"].join("")}: later`],
  ["a file opens with its idea", "src/a.ts", ""],
];

/** What must not be taken for an offence. */
const FINE: readonly (readonly [path: string, text: string])[] = [
  ["src/opamp/a.ts", 'socket.setTimeout(5);\nconst clock = { setTimeout: 1 };'],
  ["src/opamp/a.ts", 'import type { Settings } from "../config/settings.js";\nimport { type A, type B } from "../storage/store.js";'],
  ["src/perform.ts", "const process = await start();\nprocess.on(1);"],
  ["src/core/a.ts", 'import type { A } from "../gen/opamp/v1/a.js";\nimport { unreachable } from "../lib/check.js";\nimport { b } from "./b.js";'],
  ["src/storage/a.ts", "const limit = 1;\n// Date.now() is not used here.\n"],
];

function filesBelow(folder: string): Source[] {
  const entries = readdirSync(join(TOP, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(TOP.length + 1).replaceAll("\\", "/"), text: readFileSync(path, "utf8") }))
    .filter(({ path }) => !path.startsWith("src/gen/") && !path.includes("/node_modules/"));
}

/** `bench/` and `examples/` are programs of their own: they share the style, not the boundaries of `src/`. */
const SOURCES: readonly Parsed[] = readdirSync(TOP)
  .filter((name) => ["src", "examples", "bench", "test"].includes(name))
  .flatMap(filesBelow)
  .map(parse);

test("there is something to look at", () => {
  expect(SOURCES.map(({ path }) => path)).toEqual(expect.arrayContaining(["src/lib/clock.ts", "src/core/values.ts", "test/tidy.test.ts"]));
});

test.each(Object.entries(RULES))("%s", (rule, check) => {
  const places = SOURCES.flatMap((file) => check(file).map(({ line, what }) => `${file.path}:${line}: ${what}`));
  expect(places, rule).toEqual([]);
});

describe("each rule can be broken", () => {
  test.each(SAMPLES)("%s: %s %j", (rule, path, text) => {
    const sample = parse({ path, text: rule === "a file opens with its idea" ? text : OPEN + text });
    expect(RULES[rule]?.(sample)[0]?.line).toBeGreaterThan(0);
  });

  test("and each has a sample", () => {
    expect([...new Set(SAMPLES.map(([rule]) => rule))].sort()).toEqual(Object.keys(RULES).sort());
  });

  test.each(FINE)("fine: %s %j", (path, text) => {
    const sample = parse({ path, text: OPEN + text });
    const broken = Object.entries(RULES).filter(([, check]) => check(sample).length > 0);
    expect(broken.map(([rule]) => rule)).toEqual([]);
  });
});
