/** Bundles the program, the demo and the bench into dist/; runs at `npm ci` (prepare) and `npm run build`. */
import { build } from "esbuild";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

rmSync("dist", { recursive: true, force: true });

/** The program by itself, so that its start loads few files; what only a checkout needs is bundled apart from it. */
const program = { main: "src/main.ts", "compose-worker": "src/config/compose-worker.ts" };
const examples = {
  "examples/server": "examples/server/main.ts",
  "examples/collector": "examples/collector/main.ts",
  "examples/demo": "examples/demo.ts",
  "bench/main": "bench/main.ts",
};

for (const [entries, chunks] of [[program, "chunks"], [examples, "example-chunks"]]) {
  const { metafile } = await build({
    metafile: true,
    entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path))),
    outdir: "dist",
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    splitting: true,
    // Apart as well, so that the package does not carry those of the examples.
    chunkNames: `${chunks}/[name]-[hash]`,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "linked",
    // The CommonJS packages in the bundle (ws and pino) ask for `require`.
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
    external: ["bufferutil", "utf-8-validate"],
    logLevel: "warning",
  });
  if (entries === program) writeFileSync("dist/THIRD-PARTY-LICENSES.txt", licensesOf(Object.keys(metafile.inputs)));
}

/** The bundle carries other people's work, so it carries their licences too. */
function licensesOf(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), "utf8").trim();
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(78)}\n\n`);
}
