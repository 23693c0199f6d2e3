/** Bundles the program, the demo and the bench into dist/; runs at `npm ci` (prepare) and `npm run build`. */
import { build } from "esbuild";
import { existsSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });

/** The program by itself, so that its start loads few files; what only a checkout needs is bundled apart from it. */
const program = { main: "src/main.ts", "compose-worker": "src/config/compose-worker.ts" };
const examples = {
  "examples/server": "examples/server/main.ts",
  "examples/collector": "examples/collector/main.ts",
  "examples/demo": "examples/demo.ts",
  "bench/main": "bench/main.ts",
};

for (const entries of [program, examples]) {
  await build({
    entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path))),
    outdir: "dist",
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "linked",
    // The CommonJS packages in the bundle (ws and pino) ask for `require`.
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "warning",
  });
}
