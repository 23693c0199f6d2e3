/** The order of the Collector's arguments is that of the Go supervisor. */
import { expect, test } from "vitest";
import { collectorArguments, listsNoPipelinesGate } from "../../src/collector/arguments.js";

test("configuration, gate, then agent.args", () => {
  expect(collectorArguments({ configPath: "/s/effective.yaml", allowsNoPipelines: true, args: ["--feature-gates", "x"] })).toEqual([
    "--config",
    "/s/effective.yaml",
    "--feature-gates",
    "service.AllowNoPipelines",
    "--feature-gates",
    "x",
  ]);
});

test("a gate that the executable does not know is left out", () => {
  expect(collectorArguments({ configPath: "/s/effective.yaml", allowsNoPipelines: false, args: [] })).toEqual(["--config", "/s/effective.yaml"]);
});

test.each([
  ["ID  Enabled\nservice.AllowNoPipelines  false  Alpha", true],
  ["  service.AllowNoPipelines\ttrue", true],
  ["service.AllowNoPipelinesAtAll false", false],
  ["other.Gate  false  Alpha  replaces service.AllowNoPipelines", false],
  ["", false],
])("the gate is the first word of a line: %j", (output, listed) => {
  expect(listsNoPipelinesGate(output)).toBe(listed);
});
