/** A host on which a remote configuration is good already, and what must hold once it is gone back to. */
import { expect } from "vitest";
import type { SeenStatus } from "../../interop/support/seen-agent.js";
import { nopPipeline } from "./configs.js";
import type { Sections } from "./host.js";
import { setStage, type Hooks, type Stage } from "./stage.js";
import type { SupervisorProcess } from "./supervisor-process.js";

export interface ProvenOptions {
  /** Those of the life in which the test happens. */
  readonly agent: NonNullable<Sections["agent"]>;
  /** What that life needs on the host. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  readonly hooks?: Hooks;
}

export interface Proven {
  readonly stage: Stage;
  readonly supervisor: SupervisorProcess;
  /** The hash of the good configuration, as short as messages name it. */
  readonly good: string;
}

const FAILURE_MS_MAX = 30_000;

/** An earlier life without a probation made `nop/good` good; this one runs it. To be called inside a test. */
export async function provenStage({ agent, hooks, prepare }: ProvenOptions): Promise<Proven> {
  const stage = await setStage({ sections: { agent: { config_probation: "0s" } } }, hooks);
  const first = await stage.up();
  const good = await stage.apply(nopPipeline("good"));
  await first.end();
  await prepare?.(stage);
  await stage.settings({ agent });
  const supervisor = await stage.up();
  await stage.until("the good one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  return { stage, supervisor, good: good.slice(0, 12) };
}

/** FAILED for that hash, whatever was told of it before. */
export async function failureOf(stage: Stage, hash: string): Promise<SeenStatus> {
  return stage.until("the failure", () => stage.agent.statuses.find((status) => status.hash === hash && status.is === "failed"), FAILURE_MS_MAX);
}

/** The good one runs, alone and healthy. The server was told the whole course of the other, and stays with FAILED for it. */
export async function expectGoodAgain(stage: Stage, hash: string): Promise<void> {
  await stage.until("the good one again", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "applied", "failed"]);
  expect(stage.agent.statuses.at(-1)).toMatchObject({ is: "failed", hash });
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/good");
  await stage.collector();
}
