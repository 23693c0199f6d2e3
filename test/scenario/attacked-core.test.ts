/** Courses of events in which an attacker of the core once found it untrue, endless or forgetful: first part. */
import { expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { emptyMemory, GOOD_A, offerOf, provenOf, Story, testFacts } from "../support/story.js";

const EXE2 = { ...testFacts, identity: "/otelcol:2", version: "0.150.0" };

function told(story: Story): string {
  const status = story.reports.at(-1)?.remoteConfig.status;
  return `${status?.is} ${status?.hash}`;
}

function wantedText(story: Story): string {
  const { wanted } = story.state;
  return wanted.is === "run" ? wanted.run.build.prepared.text : `nothing (${wanted.because})`;
}

function healthy(story: Story): boolean {
  return story.reports.at(-1)?.health.healthy === true;
}

async function offer(story: Story, hash: string, content = hash): Promise<void> {
  await story.post({ is: "remote-config-offered", config: offerOf(content, hash) });
}

function triedB(story: Story): boolean {
  return story.effects.some((effect) => effect.do === "prepare-config" && effect.source.is === "layers" && effect.source.remote?.hash === "B");
}

async function swapped(story: Story): Promise<void> {
  if (story.state.process.is === "stopping") await story.exited();
  while (story.state.process.is === "down") await story.advance(100);
  await story.started();
  await story.health("healthy");
}

/** A crashes five times in a row, and the local configuration stands in for it. */
async function steppedDown(): Promise<Story> {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.exited({ code: 1 });
  for (let i = 2; i <= 5; i++) await story.crash();
  await story.prepared();
  await swapped(story);
  return story;
}

test("local files read again after the executable was replaced, nothing changed: the healthy Collector is left alone", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.advance(600_000);
  story.read();
  await story.post({ is: "retry-requested" });
  await story.post({ is: "executable-described", facts: EXE2 });
  await story.prepared();
  await story.advance(120_000);
  expect(story.state.standIn).toBeNull();
});

test("the lives of a trial are not forgotten because what is good became healthy before it", async () => {
  const memory = { lastReceived: offerOf("B"), lastWorking: offerOf("A"), proven: provenOf("A"), status: { is: "applying", hash: "B", error: "" } as const, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 2 }] };
  const story = new Story({ memory });
  await story.settle();
  // It only waits for the base, so a death now would be none of its own.
  expect(story.saves).toEqual([]);
  await story.prepared(); // the base
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "B", lives: 3 }]);
  await story.started();
  await story.health("healthy");
  await story.settle();
  expect(story.saves.at(-1)?.trials).toMatchObject([{ of: "offer", hash: "B", lives: 3 }]);
});

test("life after life: given up after three deaths", async () => {
  let memory: Memory = { ...emptyMemory, lastReceived: offerOf("B"), lastWorking: offerOf("A"), proven: provenOf("A"), status: { is: "applying", hash: "B", error: "" }, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 1 }] };
  let deaths = 0;
  for (; deaths < 20; deaths++) {
    const story = new Story({ memory });
    await story.post({ is: "server-connected" });
    await story.prepared();
    await story.started();
    await story.health("healthy");
    if (story.state.offers.status?.is === "failed") break;
    await story.prepared(); // B
    await story.exited();
    await story.started();
    memory = story.saves.at(-1) ?? memory; // killed here
  }
  expect(deaths).toBeLessThanOrEqual(3);
});

test("while a stand-in of a lower step is replaced by a better one, less is not told to be healthy", async () => {
  const story = await steppedDown();
  expect(wantedText(story)).toBe("local");
  expect(healthy(story)).toBe(false);
  const seen = story.reports.length;
  await story.advance(60_000);
  await story.refused("no such component"); // A with the local files of today
  const lies = story.reports.slice(seen).filter((report) => report.health.healthy);
  expect(lies).toEqual([]);
});

test("the executable is away while the base is tried again: what runs is less, and never told to be healthy", async () => {
  const story = await steppedDown();
  const seen = story.reports.length;
  await story.advance(60_000);
  story.read();
  for (let i = 0; i < 9; i++) {
    await story.refused("/otelcol: no such file", { isBlameless: true });
    if (i % 3 === 2) await story.advance(30_000);
  }
  const lies = story.reports.slice(seen).filter((report) => report.health.healthy);
  expect(lies).toEqual([]);
});

test("and an offer that is refused meanwhile does not stop it", async () => {
  const story = await steppedDown();
  await story.advance(60_000);
  for (let i = 0; i < 3; i++) await story.refused("/otelcol: no such file", { isBlameless: true });
  story.read();
  await offer(story, "B");
  await story.refused("/otelcol: no such file", { isBlameless: true });
  expect(story.state.process.is).toBe("healthy");
});

test("the startup fallback runs, the local configuration cannot be prepared (full disk): a refused offer does not stop the fallback", async () => {
  const story = new Story({ policy: { hasStartupFallback: true } });
  await story.advance(500);
  await story.prepared();
  await story.started();
  await story.health("healthy");
  await story.post({ is: "server-connected" });
  await story.refused("no space left on device", { isBlameless: true });
  expect(story.state.process.is).toBe("healthy");
  story.read();
  await offer(story, "B");
  await story.refused("unknown exporter");
  expect(story.state.process.is).toBe("healthy");
});

test("a stand-in that is read again and then equals the base makes no endless preparation", async () => {
  // The remote configuration adds nothing to the local files, so the local configuration alone is the same text.
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.exited({ code: 1 });
  for (let i = 2; i <= 5; i++) await story.crash();
  await story.prepared({ digest: "digest-v1" }); // local, with files that were changed meanwhile
  await swapped(story);
  await story.advance(60_000);
  await story.prepared(); // the base, as before: the files were changed back
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  story.read();
  let rounds = 0;
  for (; rounds < 50; rounds++) {
    const { standIn } = story.state;
    if (standIn === null || standIn.preparing === 0) break;
    await story.prepared({ digest: "digest-A" });
  }
  expect(rounds).toBeLessThan(5);
});

test("the base is tried again and cannot be started (no room for its file): the stand-in comes back", async () => {
  const story = await steppedDown();
  await story.advance(60_000);
  await story.prepared(); // proven, so it is not validated and not staged
  await story.exited();
  story.read();
  const end = story.now + 3_600_000;
  while (story.now < end) {
    const { process } = story.state;
    if (process.is === "starting" && process.run.build.prepared.digest === "digest-A") {
      await story.post({ is: "collector-not-started", attempt: story.state.attempt, error: "no space left on device" });
    } else if (process.is === "starting") break;
    else await story.advance(1_000);
  }
  expect(wantedText(story)).toBe("local");
});

test("a good configuration that is offered under another hash while it restarts, and crashes once more, does not become a known failure", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.exited({ code: 1 });
  await story.started();
  await offer(story, "A2", "A");
  await story.prepared();
  await story.exited({ code: 1 });
  await swapped(story);
  await story.advance(3_600_000);
  expect(healthy(story)).toBe(true);
  expect(wantedText(story)).toBe("A");
  await offer(story, "A3", "A");
  await story.prepared();
  expect(told(story)).toBe("applied A3");
});

test("on probation, the same content under another hash", async () => {
  const story = new Story({ memory: { ...GOOD_A, lastReceived: offerOf("A") } });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await swapped(story);
  await story.exited({ code: 1 });
  await story.started();
  await offer(story, "B2", "B");
  await story.advance(2_000);
  await story.prepared();
  await story.exited({ code: 1 });
  await swapped(story);
  await story.advance(3_600_000);
  await offer(story, "B3", "B");
  await story.prepared();
  expect(told(story)).toBe("applied B3");
});

test("an offer that could not be reloaded (no room) is tried again", async () => {
  const story = new Story({ memory: GOOD_A, policy: { reloadsByHup: true } });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await story.post({ is: "collector-not-reloaded", attempt: 1, error: "no space left on device" });
  await story.exited();
  await swapped(story);
  story.read();
  await story.advance(3_600_000);
  expect(story.read()).toContain("prepare-config B");
});

test("what was applied and is on its way back is not lost when it cannot be prepared for a moment", async () => {
  const memory = { ...GOOD_A, lastReceived: offerOf("C"), status: { is: "applying", hash: "C", error: "" } as const, onProbation: offerOf("B"), trials: [{ of: "offer" as const, hash: "C", digest: "", executable: "", lives: 1 }] };
  const story = new Story({ memory });
  await story.settle();
  await story.prepared(); // the base A
  await story.refused("no space left on device", { isBlameless: true }); // B
  expect(story.saves.at(-1)?.onProbation?.hash).toBe("B");
});

test("a FAILED configuration is tried with another executable", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B");
  await story.refused("unknown exporter: new_in_0_150");
  expect(told(story)).toBe("failed B");
  // The Collector is upgraded: noticed at its next start.
  await story.post({ is: "restart-commanded" });
  await story.exited();
  await story.post({ is: "executable-described", facts: EXE2 });
  await story.started();
  await story.health("healthy");
  await story.advance(600_000);
  story.read();
  await offer(story, "B");
});

test("nor is it after an upgrade with a restart of the supervisor", async () => {
  const story = new Story({ memory: { ...GOOD_A, lastReceived: offerOf("B"), status: { is: "failed", hash: "B", error: "unknown exporter: new_in_0_150" } }, remembered: null });
  await story.post({ is: "server-connected" });
  await story.post({ is: "executable-described", facts: EXE2 });
  await story.prepared();
  await story.started();
  await story.health("healthy");
  await story.advance(86_400_000);
  await offer(story, "B");
  await story.advance(86_400_000);
  expect(triedB(story)).toBe(true);
});

test("what ran with the old executable is not proven with the new one", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await swapped(story);
  await story.advance(40_000);
  await offer(story, "C");
  await story.post({ is: "executable-described", facts: EXE2 });
  await story.refused("unknown exporter");
  await story.advance(40_000);
  expect(story.saves.at(-1)?.proven?.executable).toBe(testFacts.identity);
});

test("crashes of long ago do not hold a Collector that ended once", async () => {
  const story = new Story({ memory: { ...emptyMemory } });
  await story.up();
  await story.exited({ code: 1 });
  for (let i = 2; i <= 9; i++) await story.crash();
  await swapped(story);
  await story.advance(86_400_000);
  await story.post({ is: "identity-assigned", instanceUid: "01900000-0000-7000-8000-00000000000f" });
  await story.prepared();
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  expect(story.reports.at(-1)?.health.process).not.toBe("held");
});

test("after one exhausted trial a server without hashes can still offer", async () => {
  const memory = { ...GOOD_A, lastReceived: offerOf("B", ""), status: { is: "applying", hash: "", error: "" } as const, trials: [{ of: "offer" as const, hash: "", digest: "", executable: "", lives: 3 }] };
  const story = new Story({ memory });
  await story.up();
  await offer(story, "", "C");
  await story.prepared();
  expect(story.reports.at(-1)?.remoteConfig.status?.is).not.toBe("failed");
});

test("new local files that kill the supervisor while they are on probation give way to what was proven after three deaths", async () => {
  let memory: Memory = { ...emptyMemory, ...GOOD_A };
  let deaths = 0;
  for (; deaths < 10; deaths++) {
    const story = new Story({ memory });
    await story.post({ is: "server-connected" });
    await story.prepared({ digest: "digest-A-new-files" });
    if (story.state.standIn !== null) break;
    await story.started();
    await story.health("healthy");
    expect(story.state.probation?.of).toBe("base");
    memory = story.saves.at(-1) ?? memory;
  }
  expect(deaths).toBeLessThan(10);
});

test("without going back, a first offer that was refused is not what should run in the next life", async () => {
  const policy = { rollsBack: false, probationMs: 0 };
  const first = new Story({ policy });
  await first.up();
  await offer(first, "B");
  await first.refused("unknown exporter");
  expect(healthy(first)).toBe(true);
  const story = new Story({ policy, memory: first.saves.at(-1) ?? {} });
  await story.post({ is: "server-connected" });
  expect(story.state.base.remote).toBeNull();
});

test("when what was applied fails after a newer one was refused, the server does not go on reading that it runs", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await swapped(story);
  await story.advance(5_000);
  await offer(story, "C");
  await story.prepared();
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  await swapped(story);
  for (let i = 1; i <= 3; i++) await story.crash().then(() => (i < 3 ? swapped(story) : undefined)).catch((e: unknown) => console.log(String(e)));
});
