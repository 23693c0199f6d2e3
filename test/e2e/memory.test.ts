/** A configuration that makes the Collector eat memory: it dies of it, again and again, and nothing else does. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { faulty } from "./support/configs.js";
import { standIn } from "./support/host.js";
import { peakMemoryMib } from "../support/peak-memory.js";
import { expectGoodAgain, failureOf, provenStage, type Proven } from "./support/proven.js";
import type { Hooks, Stage } from "./support/stage.js";

const MIB = 1024 * 1024;
const EATEN_BYTES = 1024 * MIB;
/** Enough for a Collector that behaves, for its `validate` and for the supervisor. */
const LIMIT_BYTES = 400 * MIB;
/** What the supervisor may take more than before: the hunger of the Collector is none of its own. */
const GROWTH_MIB_MAX = 30;
const TEST_MS_MAX = 60_000;

/** A control group that holds all its processes to the limit, as a container does; null where this user cannot make one. */
const group = makeGroup();

afterAll(async () => {
  // It can be removed when the last process in it is gone.
  if (group !== null) await vi.waitFor(() => rmdirSync(group));
});

const LIMITS = [
  [
    "at a limit of its own",
    limitCollector,
    /^the Collector exited with code 2, crash number 3 during probation; configuration ([0-9a-f]{12}), which worked before, runs instead\nCollector log tail:\n[^]*\nfatal error: out of memory allocating heap arena metadata$/,
  ],
  [
    "by the kernel, at a limit that it shares with the supervisor",
    limitBoth,
    /^the Collector was killed by SIGKILL, for want of memory \(the kernel counted it in the control group\), crash number 3 during probation; configuration ([0-9a-f]{12}), which worked before, runs instead/,
  ],
] as const;

const rows = LIMITS.slice(0, group === null ? 1 : 2);
test.concurrent.for(rows)("a Collector that eats memory and dies of it %s is taken back, and the supervisor stays small", { timeout: TEST_MS_MAX }, async ([, start, words], hooks) => {
  const { good, stage, supervisor } = await start(hooks);
  const before = await peakMemoryMib(supervisor.pid);
  const hash = await stage.send(faulty("hungry", { eat_memory: EATEN_BYTES, eat_memory_after: "500ms" }));
  const { error } = await failureOf(stage, hash);
  expect(words.exec(error)?.[1], error).toBe(good);
  await expectGoodAgain(stage, hash);
  expect(supervisor.isRunning).toBe(true);
  expect((await peakMemoryMib(supervisor.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
});

function limitCollector(hooks: Hooks): Promise<Proven> {
  return provenStage({
    hooks,
    agent: { executable: "./limited" },
    prepare: (stage: Stage) => stage.host.write("limited", `#!/bin/sh\nulimit -d ${LIMIT_BYTES / 1024}\nexec '${standIn()}' "$@"\n`, 0o755),
  });
}

/** What the supervisor starts from then on is in the group with it. */
async function limitBoth(hooks: Hooks): Promise<Proven> {
  const proven = await provenStage({ agent: {}, hooks });
  writeFileSync(join(group ?? "", "cgroup.procs"), String(proven.supervisor.pid));
  return proven;
}

function makeGroup(): string | null {
  const kinds = [
    { parent: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", swap: "memory.swappiness" },
    { parent: "/sys/fs/cgroup", limit: "memory.max", swap: "memory.swap.max" },
  ];
  for (const { limit, parent, swap } of kinds) {
    const path = join(parent, `opampsupervisor-test-${process.pid}`);
    try {
      mkdirSync(path);
    } catch {
      continue;
    }
    try {
      // Opened as it is there: where memory is not controlled in this place, the files are missing.
      writeFileSync(join(path, limit), String(LIMIT_BYTES), { flag: "r+" });
      writeFileSync(join(path, swap), "0", { flag: "r+" });
      execFileSync("sh", ["-c", `echo $$ >'${path}/cgroup.procs'`], { stdio: "ignore" });
      return path;
    } catch {
      rmdirSync(path);
    }
  }
  return null;
}
