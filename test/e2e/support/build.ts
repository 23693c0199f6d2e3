/**
 * Before the tests: the built program in a directory of its own, so that they never meet a stale `dist/`, nor one that
 * a build pulls away under their feet. A `dist/` that is newer than its sources is copied, else it is built apart.
 */
import { chmod, cp, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { stageBuild, type Staged } from "../../support/staged-build.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** Holds bin/, dist/ and examples/collector/standin-collector. */
    readonly program: string;
  }
}

const TOP = join(import.meta.dirname, "../../..");
const SOURCES = ["src", "examples", "build.js", "package.json", "package-lock.json"];
const PARTS = ["bin", "dist", "examples/collector/standin-collector", "package.json"];
const BUILT = ["dist/main.js", "dist/compose-worker.js", "dist/examples/collector.js"];

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const staged = (await isFresh()) ? await copy() : await stageBuild();
  // Some tests start it as another user.
  await chmod(staged.directory, 0o755);
  project.provide("program", staged.directory);
  return () => staged.remove();
}

async function isFresh(): Promise<boolean> {
  const built = await Promise.all(BUILT.map((path) => changedAt(join(TOP, path))));
  const sources = await Promise.all(SOURCES.map((path) => newest(join(TOP, path))));
  return Math.min(...built) >= Math.max(...sources);
}

async function newest(path: string): Promise<number> {
  const entries = (await stat(path)).isDirectory() ? await readdir(path, { recursive: true, withFileTypes: true }) : [];
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all([path, ...files].map(changedAt))));
}

/** Long ago for what is not there. */
async function changedAt(path: string): Promise<number> {
  return stat(path).then(({ mtimeMs }) => mtimeMs, () => 0);
}

async function copy(): Promise<Staged> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "opampsupervisor-copied-")));
  for (const part of PARTS) await cp(join(TOP, part), join(directory, part), { recursive: true });
  return { directory, remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }) };
}
