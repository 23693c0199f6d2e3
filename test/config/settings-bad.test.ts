/**
 * Each bad settings file in test/fixtures/settings/bad and the whole message that a person gets for it. `UPDATE=1` writes
 * the messages anew: read the difference before you keep it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSettings } from "../../src/config/settings-load.js";
import { SupervisorError } from "../../src/lib/error.js";

const folder = join(import.meta.dirname, "../fixtures/settings/bad");
const env = { LOOP: "${LOOP}", NOT_A_PORT: "hunter2" };

async function messageFor(file: string): Promise<string> {
  try {
    await loadSettings(file, env, folder);
  } catch (error) {
    expect(error).toBeInstanceOf(SupervisorError);
    expect((error as SupervisorError).code).toBe("settings");
    return `${(error as SupervisorError).message.replaceAll(folder, "{cwd}").replaceAll(dirname(folder), "{parent}")}\n`;
  }
  throw new Error(`${file} was accepted`);
}

describe("a bad settings file gets its whole message", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

  test.each(files)("%s", async (file) => {
    const message = await messageFor(file);
    const golden = join(folder, file.replace(/\.yaml$/, ".txt"));
    if (process.env["UPDATE"] === "1") writeFileSync(golden, message);
    expect(existsSync(golden), `no golden message ${golden}; run with UPDATE=1`).toBe(true);
    expect(message).toBe(readFileSync(golden, "utf8"));
  });

  test.each(files)("%s: no secret is repeated", async (file) => {
    // The word stands for a secret wherever it is written in these files.
    expect(await messageFor(file)).not.toContain("hunter2");
  });

  test("every golden message has its file", () => {
    const goldens = readdirSync(folder).filter((name) => name.endsWith(".txt"));
    expect(goldens.map((name) => name.replace(/\.txt$/, ".yaml")).sort()).toEqual([...files].sort());
  });
});
