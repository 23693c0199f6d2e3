/**
 * The supervisor is killed at random moments while configurations come, good and bad ones, with the real Collector. Each
 * time it is started again on the same storage. `SEED=n` has the same configurations and moments again, as far as the
 * machine plays along; `KILLS=n` kills so often.
 */
import { randomInt } from "node:crypto";
import { afterAll, describe, it } from "vitest";
import { Random } from "../simulation/random.js";
import { KilledHost, type KilledHostOptions } from "./support/killed-host.js";
import { KillTally } from "./support/kill-tally.js";
import { needs } from "./support/needs.js";

const KILLS = Number(process.env["KILLS"] ?? 100);
const SEED = Number(process.env["SEED"] ?? randomInt(2 ** 31));
/** Several times what one takes. */
const KILL_MS_MAX = 5_000;

/** A Collector that outlives its supervisor also where setpriv would have the kernel end it. */
const survivor = `#!/bin/sh
if setpriv --pdeathsig clear -- true 2>/dev/null; then exec setpriv --pdeathsig clear -- '${needs.collector}' "$@"; fi
exec '${needs.collector}' "$@"
`;

const hosts: readonly Pick<KilledHostOptions, "probation" | "executable">[] = [
  { probation: "none", executable: { path: needs.collector } },
  { probation: "short", executable: { script: survivor } },
  { probation: "long", executable: { path: needs.collector } },
];

describe.skipIf(needs.collector === "").concurrent("a supervisor that is killed while its configuration changes", () => {
  const tally = new KillTally();
  const open: KilledHost[] = [];

  afterAll(async () => {
    console.log(`kill test, SEED=${SEED}: ${tally.summary()}`);
    await Promise.all(open.map((one) => one.remove()));
  });

  it.for(hosts)("comes to rest with the right one, probation: $probation", { timeout: KILLS * KILL_MS_MAX }, async (options, { onTestFailed }) => {
    const index = hosts.indexOf(options);
    const killed = await KilledHost.create({ ...options, random: new Random(SEED + index), tally });
    open.push(killed);
    onTestFailed(() => console.error(killed.diagnosis()));
    await killed.run(Math.ceil((KILLS - index) / hosts.length));
  });
});
