/** The supervisor is killed while what was applied, and is not good yet, is on its way back: it is not forgotten. */
import { expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { emptyMemory, offerOf, Story } from "../support/story.js";

const good = { lastWorking: offerOf("G") };
const applyingB = { ...good, lastReceived: offerOf("B"), status: { is: "applying", hash: "B", error: "" } as const };
const failedB = { ...applyingB, status: { is: "failed", hash: "B", error: "boom" } as const };
const appliedA = { ...good, lastReceived: offerOf("A"), status: { is: "applied", hash: "A", error: "" } as const };

test("killed once more before it is healthy again, it comes back in the next life", async () => {
  const second = new Story({ memory: { ...failedB, onProbation: offerOf("A"), trials: [{ of: "offer" as const, hash: "A", digest: "", executable: "", lives: 1 }] } });
  await second.settle();
  await second.prepared(); // what is good, for the way back
  expect(saved(second)).toMatchObject({ onProbation: { hash: "A" }, trials: [{ of: "offer" as const, hash: "A", lives: 2 }] });
  const third = new Story({ memory: saved(second) });
  await third.settle();
  await live(third);
  expect(running(third)).toBe("digest-A");
});

test.each([
  ["before it is prepared", appliedA, 1],
  ["while it starts", appliedA, 2],
  ["before it is prepared, in the place of another one", { ...applyingB, onProbation: offerOf("A") }, 1],
  ["while it starts, in the place of another one", { ...applyingB, onProbation: offerOf("A") }, 2],
])("a refused offer that comes %s does not cost it", async (_, memory, steps) => {
  const story = new Story({ memory: { ...memory, trials: [{ of: "offer" as const, hash: memory.lastReceived.hash, digest: "", executable: "", lives: 1 }] } });
  await story.settle();
  await live(story, { steps });
  await story.post({ is: "remote-config-offered", config: offerOf("C") });
  expect(saved(story)).toMatchObject({ lastReceived: { hash: "C" }, onProbation: { hash: "A" }, trials: [{ of: "offer", hash: "A" }, { of: "offer", hash: "C", lives: 0 }] });
  await live(story, { refuses: "C" });
  await story.advance(5_000);
  await live(story, { refuses: "C" });
  expect(story.state.offers.status).toMatchObject({ is: "failed", hash: "C" });
  expect(running(story)).toBe("digest-A");
});

test("it runs again when the trial of another one is given up", async () => {
  const story = new Story({ memory: { ...applyingB, onProbation: offerOf("A"), trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 3 }] } });
  await story.settle();
  await live(story);
  expect(story.state.offers.status).toMatchObject({ is: "failed", hash: "B" });
  expect(running(story)).toBe("digest-A");
});

test("killed between the files of a save, the newer offer is tried, although the trial on disk is that of an older one", async () => {
  const story = new Story({ memory: { ...applyingB, trials: [{ of: "offer" as const, hash: "A", digest: "", executable: "", lives: 1 }] } });
  await story.settle();
  await live(story);
  expect(story.state.offers.status).toMatchObject({ is: "applied", hash: "B" });
});

test("deaths while it comes back are its own, not those of the offer that waits for it; and each one's are kept beside the other's", async () => {
  let memory: Memory = { ...emptyMemory, ...applyingB, onProbation: offerOf("A"), trials: [{ of: "offer", hash: "B", digest: "", executable: "", lives: 1 }] };
  for (const lives of [1, 2, 3]) {
    const story = new Story({ memory });
    await story.settle();
    await live(story, { steps: 1 });
    expect(saved(story).trials).toMatchObject([{ of: "offer", hash: "A", lives }, { of: "offer", hash: "B", lives: 1 }]);
    memory = saved(story);
  }
  const fourth = new Story({ memory });
  await fourth.settle();
  expect(fourth.state.offers.failures).toMatchObject([{ hash: "A", reason: expect.stringContaining("the supervisor ended 3 times") as string }]);
  expect(fourth.state.offers.status).toEqual({ is: "applying", hash: "B", error: "" });
  await live(fourth, { steps: 1 });
  expect(saved(fourth).trials).toMatchObject([{ of: "offer", hash: "B", lives: 2 }]);
  await live(fourth);
  expect(running(fourth)).toBe("digest-B");
});

/** Lets everything succeed that is under way, but for what is refused, step by step until nothing is left. */
async function live(story: Story, { refuses = "", steps = 30 }: { refuses?: string; steps?: number } = {}): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const { base, process, rollout } = story.state;
    if (base.preparing !== 0) await story.prepared();
    else if (rollout.is === "preparing" && rollout.offer.hash === refuses) await story.refused("unknown exporter");
    else if (rollout.is === "preparing") await story.prepared();
    else if (process.is === "stopping") await story.exited();
    else if (process.is === "starting") {
      await story.started();
      await story.health("healthy");
    }
  }
}

function running(story: Story): string | undefined {
  const { process } = story.state;
  return process.is === "down" ? undefined : process.run.build.prepared.digest;
}

function saved({ saves }: Story): Memory {
  const last = saves.at(-1);
  if (last === undefined) throw new Error("nothing was saved");
  return last;
}
