/** The courses that are swept: what the server does, and how it must end, whatever dies meanwhile. */
import { faulty, nopPipeline } from "../../e2e/support/configs.js";
import type { Stage } from "../../e2e/support/stage.js";

export interface Goal {
  /** The newest offer's hash, and the one final status that it deserves. */
  readonly hash: string;
  readonly is: "applied" | "failed";
  /** Stands in the configuration that runs in the end. */
  readonly runs: string;
  /** The identity in the end. */
  readonly uid: string;
}

export interface Course {
  readonly name: string;
  /** Lets the server act, and says where that must lead. `from` is where the host is now; the number makes the content new. */
  begin(stage: Stage, from: Goal, number: number): Promise<Goal>;
}

export const ROLLOUT: Course = {
  name: "rollout",
  begin: async (stage, from, number) => ({ ...from, hash: await stage.send(nopPipeline(`n${number}`)), is: "applied", runs: `nop/n${number}:` }),
};

/** The Collector's own validation stands in the way. */
export const REFUSAL: Course = {
  name: "rollback of a refused one",
  begin: async (stage, from, number) => ({ ...from, hash: await stage.send(nopPipeline(`r${number}`).replace("exporters: [", "exporters: [absent, ")), is: "failed" }),
};

/** Valid, and dead as soon as it runs. */
export const CRASH: Course = {
  name: "rollback of a crashed one",
  begin: async (stage, from, number) => ({ ...from, hash: await stage.send(faulty(`c${number}`, { die_after: "0s", never_connect: true })), is: "failed" }),
};

export const IDENTITY: Course = {
  name: "identity change",
  begin(stage, from) {
    return Promise.resolve({ ...from, uid: stage.server.fleet.giveNewIdentity(from.uid) });
  },
};

export const COURSES: readonly Course[] = [ROLLOUT, REFUSAL, CRASH, IDENTITY];
