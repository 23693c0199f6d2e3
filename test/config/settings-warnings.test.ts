/** What is accepted but does nothing, or not what it seems, is said once and in whole. `UPDATE=1` writes it anew. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadSettings } from "../../src/config/settings-load.js";

const folder = join(import.meta.dirname, "../fixtures/settings/warned");
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

test.each(files)("%s", async (file) => {
  const { warnings } = await loadSettings(file, {}, folder);
  const golden = join(folder, file.replace(/\.yaml$/, ".txt"));
  const text = warnings.map((warning) => `${warning}\n`).join("");
  if (process.env["UPDATE"] === "1") writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
});

test("capabilities that the user did not write are not warned of", async () => {
  const yaml = "server::endpoint: ws://h\nagent::executable: ../collector.sh\ncapabilities: {accepts_remote_config: true, reports_remote_config: true}\n";
  const { warnings } = await loadSettings("env:Y", { Y: yaml }, folder);
  expect(warnings).toEqual([]);
});
