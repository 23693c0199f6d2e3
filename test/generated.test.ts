/** Generating again from `proto/` changes nothing: the committed code belongs to the committed schema. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const TOP = join(import.meta.dirname, "..");

/** A copy of what generating needs, so that the checkout is never touched. Answers with the folder of the result. */
async function generate(change: (schema: string) => string): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), "opampsupervisor-generated-"));
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  await cp(join(TOP, "proto"), join(place, "proto"), { recursive: true });
  for (const name of ["buf.yaml", "buf.gen.yaml"]) await cp(join(TOP, name), join(place, name));
  await symlink(join(TOP, "node_modules"), join(place, "node_modules"));
  const schema = join(place, "proto/opamp/v1/opamp.proto");
  await writeFile(schema, change(await readFile(schema, "utf8")));
  const buf = join(TOP, "node_modules/.bin/buf");
  await promisify(execFile)(buf, ["generate"], { cwd: place, timeout: 60_000, env: { ...process.env, BUF_CACHE_DIR: join(place, "cache") } });
  return join(place, "src/gen");
}

async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.map(async (path) => [path.slice(folder.length + 1), await readFile(path, "utf8")] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

test("src/gen is what buf makes of proto, byte by byte", { timeout: 60_000 }, async () => {
  const committed = await contentOf(join(TOP, "src/gen"));
  expect(Object.keys(committed).sort()).toEqual(["opamp/v1/anyvalue_pb.ts", "opamp/v1/opamp_pb.ts"]);
  expect(await contentOf(await generate((schema) => schema))).toEqual(committed);
});

test("a changed schema would be noticed", { timeout: 60_000 }, async () => {
  const folder = await generate((schema) => schema.replace("bytes config_hash = 2;", "bytes config_hash = 20;"));
  expect(await contentOf(folder)).not.toEqual(await contentOf(join(TOP, "src/gen")));
});
