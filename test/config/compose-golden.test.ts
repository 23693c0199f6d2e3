/**
 * Each folder of test/fixtures/compose holds a case (`case.json` and the files that it names) and what comes of it:
 * `expected.yaml` opens with whether it runs and the warnings, then the composed text, or the reason why it was refused.
 * UPDATE_GOLDEN=1 writes them anew; look at the difference before it is kept.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { composeConfig } from "../../src/config/compose.js";
import { SupervisorError } from "../../src/lib/error.js";
import { composeInput } from "./compose-input.js";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/compose");

interface Case {
  /** Placeholders, URIs, or names of files in the folder. */
  readonly configFiles?: readonly string[];
  /** Names of files in the folder. */
  readonly fallbackFiles?: readonly string[];
  /** Absent: nothing received. File name at the server to file in the folder. */
  readonly remote?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly includeResourceAttributes?: boolean;
  readonly allowsNoPipelines?: boolean;
  readonly resourceForm?: "inline" | "list";
}

test.each(readdirSync(FOLDER).sort())("composes %s", async (name) => {
  const folder = join(FOLDER, name);
  const result = await outcome(folder, JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case);
  const expected = join(folder, "expected.yaml");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(expected, result);
  expect(result).toBe(readFileSync(expected, "utf8"));
});

async function outcome(folder: string, given: Case): Promise<string> {
  try {
    const { prepared, warnings } = await composeConfig(
      composeInput({
        configFiles: (given.configFiles ?? []).map((entry) => (/^[$]|^(?:env|file|http):/.test(entry) ? entry : join(folder, entry))),
        fallbackFiles: given.fallbackFiles?.map((entry) => join(folder, entry)) ?? null,
        remote: remoteOf(folder, given),
        env: given.env ?? {},
        description: { identifyingAttributes: {}, nonIdentifyingAttributes: given.attributes ?? {}, includeResourceAttributes: given.includeResourceAttributes ?? false },
        executable: { allowsNoPipelines: given.allowsNoPipelines ?? true, resourceForm: given.resourceForm ?? "inline" },
      }),
      new AbortController().signal,
    );
    const head = [`# runs: ${prepared.runs}`, ...warnings.map((warning) => `# warning: ${warning}`)];
    return `${head.join("\n")}\n${prepared.text}`.replaceAll(`${folder}/`, "");
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error;
    return `# ${error.code}: ${error.message}\n`.replaceAll(`${folder}/`, "");
  }
}

function remoteOf(folder: string, { remote, contentType = "text/yaml" }: Case) {
  if (remote === undefined) return null;
  const files = Object.entries(remote).map(([name, file]) => ({ name, body: readFileSync(join(folder, file)), contentType, role: "" }));
  return { hash: "aa", files };
}
