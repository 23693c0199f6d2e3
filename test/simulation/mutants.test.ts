/**
 * A simulation that cannot fail proves nothing. Each mutant is the core with one mistake that somebody could make; the
 * simulation must reject every one of them within 2,000 seeds.
 */
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const SEEDS = 2_000;
/** Ten times what an unharmed core needs. A core that turns without end takes no time of the world, so only this ends it. */
const HANG_MS = 20_000;
const CORE = resolve(import.meta.dirname, "../../src/core");

interface Mutant {
  readonly mistake: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const mutants: readonly Mutant[] = [
  { mistake: "forgets the attempt number", file: "observe.ts", from: "event.attempt !== process.attempt", to: "false" },
  { mistake: "forgets the link number", file: "observe.ts", from: 'return "link" in event && event.link < process.linkMin;', to: "return false;" },
  { mistake: "makes good what was healthy once", file: "rollout.ts", from: "isGood(state, build) || policy.probationMs === 0 || !build.prepared.runs", to: "policy.probationMs >= 0" },
  { mistake: "restarts without a pause", file: "restart.ts", from: "return full * (1 - RESTART_JITTER * random);", to: "return 0 * full * random * RESTART_JITTER;" },
  { mistake: "does not persist what is on trial", file: "memory.ts", from: "onProbation(state, received), trials, failures", to: "onProbation(state, received), trials: trials.slice(9), failures" },
  { mistake: "counts the deaths over what comes back against what waits for it", file: "trials.ts", from: "(returning ?? waiting)?.offer", to: "(waiting ?? returning)?.offer" },
  { mistake: "answers a failed configuration with APPLIED", file: "rollout.ts", from: '{ is: "failed", hash, error: bounded(reason), wasTried: true,', to: '{ is: "applied", hash, error: "",' },
  { mistake: "never stops the old Collector", file: "decide.ts", from: "return stop(calm, wanted.because, wanted.run);", to: "return start(calm, wanted.run, wanted.because, turn);" },
  { mistake: "forgets what failed", file: "rollout.ts", from: "[failure, ...others].slice(0, FAILURES_MAX)", to: "others" },
  { mistake: "tells a status that is not on disk", file: "report.ts", from: "return forgettable ? offers.savedStatus : offers.status;", to: "return offers.status; void forgettable;" },
  { mistake: "starts a rollout whose offer is not on disk", file: "decide.ts", from: "waiting.durable && waiting.actAt", to: "waiting.actAt" },
  { mistake: "keeps a failed configuration wanted", file: "rollout.ts", from: "return wantFallback(notSoon(concluded, rollout.build, turn), `configuration ${shortHash(hash)} failed`, turn.now);", to: "return concluded; void [wantFallback, notSoon];" },
  { mistake: "never gives up waiting for health", file: "observe.ts", from: "rollout.giveUpAt <= turn.now", to: "rollout.giveUpAt + 1e9 <= turn.now" },
  { mistake: "gives a superseded offer a final status", file: "rollout.ts", from: "if (waiting !== null || offers.status?.hash !== status.hash) return concludeStored(state, status);", to: "void waiting;" },
  { mistake: "counts a probation across crashes", file: "probation.ts", from: "endsAt: null,\n    sickSince: probation.sickSince ?? turn.now,\n    crashes", to: "sickSince: null,\n    crashes" },
  { mistake: "returns to a configuration that was never good", file: "begin.ts", from: "const isOver = (!isUndecided || !policy.rollsBack) && (", to: "const isOver = (isUndecided || true) && (" },
  { mistake: "bears illness for ever during probation", file: "probation.ts", from: "probation.sickSince !== null && probation.sickSince +", to: "probation.sickSince !== null && 1e12 +" },
  { mistake: "tries what cannot run again without a pause", file: "ladder.ts", from: "return turn.now + full * (1 - RESTART_JITTER * turn.random);", to: "return turn.now + 0 * full * turn.random * RESTART_JITTER;" },
  { mistake: "stays on a lower step for ever", file: "ladder.ts", from: "return standIn !== null && standIn.build !== null && !standIn.isTrying && isSettled(state);", to: "return standIn === null && isSettled(state) && false;" },
  { mistake: "keeps the startup fallback when the server was reached", file: "ladder.ts", from: 'if (state.base.from !== "fallback") return state;', to: "if (now > -1) return state;" },
  { mistake: "tells healthy while less runs than should", file: "report.ts", from: "return ![base.build?.prepared.digest, asProven, tried?.prepared.digest].includes(digest);", to: "return false; void [digest, asProven, tried];" },
  { mistake: "takes changed local files for good unproven", file: "rollout.ts", from: 'return offers.proven === null || isProvenWith(offers.proven, build, executableOf(state)) || base.from === "fallback";', to: "return true; void offers;" },
  { mistake: "forgets the text that was proven", file: "ladder.ts", from: 'const kept: Rung[] = isKept ? ["as-proven"] : [];', to: "const kept: Rung[] = []; void isKept;" },
  { mistake: "takes the stand-in for what should run", file: "ladder.ts", from: "const tries = standIn.tries + 1;", to: "const tries = standIn.tries + 1; if (standIn.build !== null) return { ...state, base: { ...state.base, build: standIn.build }, standIn: null };" },
  { mistake: "never comes back from a try in vain", file: "probation.ts", from: "return stepAside({ ...state, probation: null }, reasonOf(reason, output), turn);", to: "return state; void [stepAside, reasonOf, output];" },
  { mistake: "gives up what failed for a reason that was not in it", file: "offer-again.ts", from: 'return mayOfferAgain(state) && executable.is === "known"', to: 'return mayOfferAgain(state) && executable.is === "unknown"' },
  { mistake: "forgets over a restart that it is to be tried again", file: "begin.ts", from: "policy.acceptsRemoteConfig && memory.isTriedAgain ?", to: "policy.acceptsRemoteConfig && memory.isTriedAgain && now < 0 ?" },
  { mistake: "never holds what crashes on and on", file: "restart.ts", from: "crashes + 1 >= HOLD_CRASHES ? HOLD_RETRY_MS : growing", to: "crashes + 1 >= HOLD_CRASHES ? growing : growing" },
  { mistake: "forgets to answer a shutdown", file: "decide.ts", from: "if (state.closing !== null) return close(state, state.closing);", to: "" },
];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mutants-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("the core without a mistake passes", { timeout: 120_000 }, async () => {
  expect(await simulate("none", null)).toBe("passed");
});

test.each(mutants)("rejects a core that $mistake", { timeout: 120_000 }, async (mutant) => {
  expect(await simulate(mutant.mistake, mutant)).toMatch(/^seed \d+: /);
});

/** Bundles the simulation around the mutated core and runs it in a process of its own; answers with its verdict. */
async function simulate(name: string, mutant: Mutant | null): Promise<string> {
  const outfile = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  await build({
    stdin: {
      contents: `import { runSeeds } from "./seeds.ts";
        process.on("unhandledRejection", (error) => { console.log("seed 0: " + error); process.exit(1); });
        runSeeds(1, ${SEEDS}).then(() => console.log("passed"), (error) => console.log(error.message.split("\\n")[0]));`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
    plugins: [
      {
        name: "mutate",
        setup(bundler) {
          bundler.onLoad({ filter: /src\/core\/[a-z-]+\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, "utf8");
            if (mutant === null || path !== join(CORE, mutant.file)) return { contents: source, loader: "ts" };
            expect(source.split(mutant.from).length, `${mutant.file} holds what is mutated exactly once`).toBe(2);
            return { contents: source.replace(mutant.from, () => mutant.to), loader: "ts" };
          });
        },
      },
    ],
  });
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "inherit"], timeout: HANG_MS });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", failed);
    child.on("close", (_, signal) => done(signal === null ? output.trim() : "seed 0: does not end"));
  });
}
