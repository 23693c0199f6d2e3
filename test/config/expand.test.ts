/** References in the values of the settings file, by the rules of the Collector's own configuration. */
import { describe, expect, test } from "vitest";
import { expandTree } from "../../src/config/expand.js";
import { parseYaml } from "../../src/config/settings-parse.js";
import type { Tree } from "../../src/config/settings-tree.js";
import { SupervisorError } from "../../src/lib/error.js";

interface Outcome {
  readonly tree: Tree;
  readonly failures: readonly string[];
  readonly unset: readonly string[];
}

const files = new Map([
  ["/secret", "s3cret\n"],
  ["/two-lines", "a\nb\n"],
  ["/list", "[x, '${env:A}']\n"],
  ["/self", "again: ${file:/self}\n"],
  ["/wide", `[${Array.from({ length: 200 }, () => "'${file:/wide}'").join(", ")}]`],
]);

const env = {
  A: "one",
  B: "A",
  EMPTY: "",
  NUMBER: "0123",
  TRUE: "true",
  LIST: "[a, b]",
  MAP: "a: b",
  REF: "<${env:A}>",
  WHOLE: "${env:NUMBER}",
  DOLLARS: "p$$x",
  QUOTED: '"in quotes"',
  NOT_YAML: "[unclosed",
  LOOP: "${env:LOOP}",
  PING: "-${env:PONG}-",
  PONG: "${env:PING}",
  GROW: "${env:GROW}${env:GROW}",
};

function expand(yaml: string): Outcome {
  const failures: string[] = [];
  const unset: string[] = [];
  const tree = expandTree(parseYaml(yaml).tree, {
    env,
    readFile: (path) => {
      const text = files.get(path);
      if (text === undefined) throw new SupervisorError("settings", `no file ${path}`);
      return text;
    },
    fail: (_scalar, path, text) => failures.push(`${path}: ${text}`),
    unset: (_scalar, path, name) => unset.push(`${path}: ${name}`),
  });
  return { tree, failures, unset };
}

/** The value of `v`, as JavaScript sees it. */
function valueOf(yaml: string): unknown {
  const { tree, failures } = expand(`v: ${yaml}`);
  expect(failures).toEqual([]);
  return plain(tree.is === "mapping" ? tree.entries[0]?.value : undefined);
}

function plain(tree: Tree | undefined): unknown {
  if (tree === undefined) return undefined;
  if (tree.is === "list") return tree.items.map(plain);
  if (tree.is === "mapping") return Object.fromEntries(tree.entries.map(({ key, value }) => [key, plain(value)]));
  return tree.value;
}

describe("values", () => {
  test.each([
    ["${A}", "one"],
    ["${env:A}", "one"],
    ["a-${env:A}-${A}-b", "a-one-one-b"],
    ["${env:A:-other}", "one"],
    ["${env:EMPTY:-other}", null],
    ["x${env:EMPTY:-other}", "x"],
    ["${env:NONE:-other}", "other"],
    ["x${env:NONE:-}y", "xy"],
    ["${env:NONE:-a:-b}", "a:-b"],
    ["${env:NONE:-8080}", 8080],
    ["$A", "$A"],
    ["$A and $REMOTE_CONFIG", "$A and $REMOTE_CONFIG"],
    ["a$$b", "a$b"],
    ["$$$$", "$$"],
    ["$${A}", "${A}"],
    ["$$${A}", "$one"],
    ["$$$${A}", "$${A}"],
    ["$${A} ${A}", "${A} one"],
    ["${A} $${A}", "one ${A}"],
    ["${env:${B}}", "one"],
    ["${env:NONE:-${env:A}}", "one"],
    ["${REF}", "<one>"],
    ["x${REF}", "x<one>"],
    ["${DOLLARS}", "p$x"],
    ["${TRUE}", true],
    ["x${TRUE}", "xtrue"],
    ["${NUMBER}", 83],
    ["x${NUMBER}", "x0123"],
    ["${WHOLE}", 83],
    ["${LIST}", ["a", "b"]],
    ["x${LIST}", "x[a, b]"],
    ["${MAP}", { a: "b" }],
    ["${QUOTED}", '"in quotes"'],
    ["${NOT_YAML}", "[unclosed"],
    ["['${A}', 'x${A}', 5]", ["one", "xone", 5]],
    ["{deep: {er: '${A}'}}", { deep: { er: "one" } }],
    ["${file:/secret}", "s3cret"],
    ["Bearer ${file:/secret}", "Bearer s3cret"],
    ["${file:/two-lines}", "a\nb"],
    ["${file:/list}", ["x", "one"]],
    ["'}${A'", "}${A"],
    ["'${A}}'", "one}"],
    ["${", "${"],
  ])("%s", (written, expected) => {
    expect(valueOf(written)).toEqual(expected);
  });

  test("keys are not expanded", () => {
    expect(plain(expand("'${A}': ${A}").tree)).toEqual({ "${A}": "one" });
  });

  test.each([
    ["${NUMBER}", "0123", "${NUMBER}"],
    ["${WHOLE}", "0123", "${WHOLE}"],
    ["${MAP}", "a: b", "${MAP}"],
    ["${TRUE}", "true", "${TRUE}"],
    ["${EMPTY}", "", "${EMPTY}"],
    ["${file:/list}", "[x, 'one']", "${file:/list}"],
    ["x${A}", "xone", "x${A}"],
  ])("%s keeps its text", (written, text, reference) => {
    const { tree } = expand(`v: ${written}`);
    expect(tree.is === "mapping" ? tree.entries[0]?.value.origin : undefined).toEqual({ text, reference });
  });

  test("a value without a reference has no origin, and keeps its place", () => {
    const { tree } = expand("a: 1\nv: a$$b");
    const value = tree.is === "mapping" ? tree.entries[1]?.value : undefined;
    expect(value).toMatchObject({ value: "a$b", origin: null, place: { line: 2, column: 4 } });
  });
});

describe("variables that are not set", () => {
  test("are empty, and each use is told", () => {
    const { tree, unset, failures } = expand("v: ${NONE}\nw: {x: 'a${env:NONE}b'}");
    expect(plain(tree)).toEqual({ v: null, w: { x: "ab" } });
    expect(unset).toEqual(["v: NONE", "w.x: NONE"]);
    expect(failures).toEqual([]);
  });
});

describe("refused", () => {
  const forms = "; expected ${NAME}, ${env:NAME}, ${env:NAME:-default} or ${file:PATH}, and $$ for a plain $";
  const loop = "too many recursive expansions; a variable or file seems to refer to itself";
  const name = "has invalid name: letters, digits and _ are allowed, not beginning with a digit";
  test.each([
    ["${A:-x}", 'invalid uri: "A:…"; a default needs the form ${env:A:-…}'],
    ["${FOO:-x}", 'scheme "FOO" is not supported for uri "FOO:…"; a default needs the form ${env:FOO:-…}'],
    ["${A_B:-x}", 'invalid uri: "A_B:…"; a default needs the form ${env:A_B:-…}'],
    ["${https://x}", `scheme "https" is not supported for uri "https:…"${forms}`],
    ["${env:1A}", `environment variable "1A" ${name}`],
    ["${env:A-B}", `environment variable "A-B" ${name}`],
    ["${}", `environment variable "" ${name}`],
    ["${env:A$B}", `the uri "env:…" contains unsupported characters ('$'); write the name without $`],
    ["${file:/none}", "no file /none"],
    ["${LOOP}", loop],
    ["x${LOOP}", loop],
    ["${PING}", loop],
    ["${file:/self}", loop],
  ])("%s", (written, text) => {
    const { tree, failures } = expand(`v: ${written}`);
    expect(failures).toEqual([`v: ${text}`]);
    expect(plain(tree)).toEqual({ v: null });
  });

  test("growth without end is stopped", () => {
    const { failures } = expand("v: x${GROW}");
    expect(failures).toEqual([`v: ${loop}`]);
  });

  test("files that include each other many times over are stopped", () => {
    const { failures } = expand("v: ${file:/wide}");
    expect(failures).toEqual([`v: ${loop}`]);
  });
});
