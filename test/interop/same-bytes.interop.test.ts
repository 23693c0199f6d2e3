/** The bytes that were validated are the bytes that run: a Collector that writes down the digest of each file it is given. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { nopPipeline } from "./support/configs.js";
import { missing, needs } from "./support/needs.js";
import { stages } from "./support/stage.js";

describe.skipIf(missing)("the configuration that a Collector is started with", () => {
  const setStage = stages();

  it("is, byte for byte, the one that it validated before", async () => {
    const { host, server } = await setStage({ executable: { script: witness(needs.collector) } });
    host.start();
    const hashes = [await server.offer(nopPipeline("one")), await server.offer(nopPipeline("two"), "applied")];
    for (const hash of hashes) {
      await server.until(`${hash} to be applied and up`, (agent) => agent.courseOf(hash).includes("applied") && agent.healthy);
    }
    const seen = (await host.read("witness.log")).trim().split("\n").map(parse);
    const runs = seen.filter(({ command }) => command === "run");
    expect(runs.length).toBeGreaterThanOrEqual(2);
    for (const run of runs) {
      const earlier = seen.slice(0, seen.indexOf(run)).filter(({ command }) => command === "validate");
      expect(earlier.map(({ digest }) => digest)).toContain(run.digest);
    }
    const effective = await readFile(host.path("storage/effective.yaml"));
    expect(runs.at(-1)?.digest).toBe(createHash("sha256").update(effective).digest("hex"));
    expect(effective.toString()).toContain("nop/two");
    expect(new Set(runs.map(({ digest }) => digest)).size).toBeGreaterThanOrEqual(2);
  });
});

/** Notes command and digest of the file behind `--config`, then becomes the real Collector. */
function witness(collector: string): string {
  return `#!/bin/sh
command=run
case "$1" in
  validate) command=validate ;;
  --config*) ;;
  *) exec '${collector}' "$@" ;;
esac
previous=
for word in "$@"; do
  file=
  case "$word" in --config=*) file=\${word#--config=} ;; esac
  if [ "$previous" = --config ]; then file=$word; fi
  if [ -n "$file" ]; then
    echo "$command $(sha256sum "\${file#file:}" | cut -d ' ' -f 1)" >> "$(dirname "$0")/witness.log"
  fi
  previous=$word
done
exec '${collector}' "$@"
`;
}

function parse(line: string): { command: string; digest: string } {
  const [command = "", digest = ""] = line.split(" ");
  return { command, digest };
}
