/** Bundles the program, the demo and the bench into dist/; runs at `npm ci` (prepare) and `npm run build`. */
import { build } from "esbuild";
import { existsSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });

const entries = {
  main: "src/main.ts",
  "compose-worker": "src/config/compose-worker.ts",
  "examples/server": "examples/server/main.ts",
  "examples/collector": "examples/collector/main.ts",
  "examples/demo": "examples/demo.ts",
  "bench/main": "bench/main.ts",
};

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
  loader: { ".html": "text", ".css": "text" },
  // The CommonJS packages in the bundle (ws and pino) ask for `require`.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  external: ["bufferutil", "utf-8-validate"],
  logLevel: "warning",
});
