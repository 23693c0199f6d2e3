import { expect, it } from "vitest";
import { keyView, yamlProblem, type KeyRow } from "../../../examples/server/key-view.js";

const file = (body: string, name = "") => [{ name, body }];

function rowsOf(sent: { name: string; body: string }[], effective: string): readonly KeyRow[] {
  const view = keyView(sent, file(effective));
  if (view.is !== "rows") throw new Error(view.why);
  return view.rows;
}

/** `path = sent -> effective (state)` and `path + yaml` for what is folded away. */
function lines(sent: string, effective: string): string[] {
  return rowsOf(file(sent), effective).map((row) =>
    row.is === "key" ? `${row.path.join(".")} = ${row.sent} -> ${String(row.effective)} (${row.state})` : `${row.path.join(".")} + ${row.yaml.trim().replaceAll("\n", " ")}`,
  );
}

it("each key that was sent has its effective value, and defaults are apart", () => {
  const sent = "receivers:\n  hostmetrics:\n    collection_interval: 60s\n    scrapers:\n      cpu:\n";
  const effective = "receivers:\n  hostmetrics:\n    collection_interval: 1m0s\n    initial_delay: 1s\n    timeout: 0s\nexporters: {}\n";
  expect(lines(sent, effective)).toEqual([
    "receivers.hostmetrics.collection_interval = 60s -> 1m0s (same)",
    "receivers.hostmetrics.scrapers.cpu =  -> null (missing)",
    "receivers.hostmetrics + initial_delay: 1s timeout: 0s",
  ]);
});

it.each([
  ["a: 1", "a: 1", "same"],
  ['a: "1"', "a: 1", "same"],
  ["a: detailed", "a: Detailed", "same"],
  ["a: /Data", "a: /data", "different"],
  ["a: [x, y]", "a:\n  - x\n  - y", "same"],
  ["a: [x]", "a: [x, y]", "different"],
  ["a: 1h30m", "a: 1h30m0s", "same"],
  ["a: 90s", "a: 1m31s", "different"],
  ["a: 12345678901234567890", "a: 12345678901234567891", "different"],
  ["a: secret", "a: '[REDACTED]'", "hidden"],
  ["a: ${env:X}", "a: value", "expanded"],
  ["a: ${env:X}", "a: ${env:X}", "same"],
  ["a:", "a: {b: 1}", "defaults"],
  ["a: {}", "a: {}", "same"],
  ["a:", "a: null", "same"],
  ["a: 1", "b: 1", "missing"],
  ["1: x", "'1': x", "same"],
])("%j beside %j is %s", (sent, effective, state) => {
  expect(rowsOf(file(sent), effective)[0]).toMatchObject({ is: "key", state });
});

it("files are merged as the supervisor does: by name, the nameless last", () => {
  const sent = [...file("a: nameless\nb: {x: 1}", ""), ...file("a: named\nb: {y: 2}", "z.yaml")];
  expect(rowsOf(sent, "a: nameless\nb: {x: 1, y: 2}").map((row) => row.is === "key" && [row.path.join("."), row.sent])).toEqual([
    ["a", "nameless"],
    ["b.y", "2"],
    ["b.x", "1"],
  ]);
});

it.each([
  ["a: [", "a: 1", /^the configuration is not YAML: /],
  ["- a", "a: 1", "the configuration is not a map of keys"],
  [`a: ${"x".repeat(600_000)}`, "a: 1", "the configuration is too large to be compared here"],
])("what cannot be compared says why", (sent, effective, why) => {
  expect(keyView(file(sent), file(effective))).toEqual({ is: "unknown", why: expect.stringMatching(why) as string });
});

it("an explosion of aliases is refused", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]", ...["b", "c", "d", "e"].map((key, index) => `${key}: &${key} [${Array(10).fill(`*${"abcd"[index] ?? ""}`).join(", ")}]`)].join("\n");
  expect(keyView(file(bomb), file("a: 1")).is).toBe("unknown");
});

it("many keys are cut", () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `k${index}: 1`).join("\n");
  const view = keyView(file(many), file(many));
  expect(view).toMatchObject({ is: "rows", isCut: true });
});

it("the hint beside the editor names the first problem", () => {
  expect(yamlProblem("a: 1\n")).toBeNull();
  expect(yamlProblem("a: b: c")).toMatch(/line 1/);
});

it("keys of objects are only keys", () => {
  expect(lines("__proto__: {x: 1}\nconstructor: 2", "__proto__: {x: 1}\nconstructor: 2")).toEqual(["__proto__.x = 1 -> 1 (same)", "constructor = 2 -> 2 (same)"]);
});
