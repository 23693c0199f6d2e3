/** Bundles the stand-in of this checkout into a directory of its own, so that a test never runs a stale build. */
import { build } from "esbuild";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Answers with the executable's path; the caller removes `directory`. */
export async function bundleStandin(): Promise<{ readonly executable: string; readonly directory: string }> {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), "standin-"));
  await build({
    absWorkingDir: root,
    entryPoints: { "examples/collector": "examples/collector/main.ts" },
    outdir: join(directory, "dist"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "error",
  });
  const launcher = join(directory, "examples", "collector", "standin-collector");
  mkdirSync(join(directory, "examples", "collector"), { recursive: true });
  copyFileSync(join(root, "examples/collector/standin-collector"), launcher);
  chmodSync(launcher, 0o755);
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  return { executable: launcher, directory };
}
