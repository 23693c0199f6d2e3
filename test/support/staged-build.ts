/**
 * The checkout copied into a directory of its own and built there: tests of what is built never meet a stale `dist/`,
 * and never pull the one of the checkout away under the feet of others.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Staged {
  readonly directory: string;
  remove(): Promise<void>;
}

const TOP = join(import.meta.dirname, "../..");
const PARTS = ["bin", "examples", "src", "build.js", "package.json", "CHANGELOG.md", "LICENSE", "README.md"];

/** @param builds false: `npm pack` builds by itself. */
export async function stageBuild({ builds = true }: { readonly builds?: boolean } = {}): Promise<Staged> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "opampsupervisor-staged-")));
  for (const part of PARTS) await cp(join(TOP, part), join(directory, part), { recursive: true });
  await symlink(join(TOP, "node_modules"), join(directory, "node_modules"));
  if (builds) await promisify(execFile)(process.execPath, ["build.js"], { cwd: directory });
  return { directory, remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }) };
}
