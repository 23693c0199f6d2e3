/** Deaths of the supervisor and full disks, as a second pair of eyes combined them: what each death is due to, and that none is forgotten. */
import { expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { emptyMemory, GOOD_A, offerOf, Story, testFacts } from "../support/story.js";

const EXE2 = { ...testFacts, identity: "/otelcol:2", version: "0.150.0" };
const APPLYING = (hash: string) => ({ is: "applying", hash, error: "" }) as const;

async function offer(story: Story, hash: string, content = hash): Promise<void> {
  await story.post({ is: "remote-config-offered", config: offerOf(content, hash) });
}
function told(story: Story): string {
  const status = story.reports.at(-1)?.remoteConfig.status;
  return `${status?.is ?? "unset"} ${status?.hash ?? ""}`;
}
function saved(story: Story, before: Memory): Memory {
  return story.saves.at(-1) ?? before;
}
function prepares(story: Story, hash: string): number {
  return story.effects.filter((effect) => effect.do === "prepare-config" && effect.source.is === "layers" && effect.source.remote?.hash === hash).length;
}

test("B, C and B again within one validation of B, which is refused: B does not stay APPLYING for ever", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B"); // prepared at once
  await offer(story, "C");
  await offer(story, "B");
  await story.advance(500);
  await story.refused("unknown exporter"); // the first B
  await story.advance(86_400_000);
  if (prepares(story, "B") > 1) await story.refused("unknown exporter");
  expect(told(story)).toBe("failed B");
});

test("without hashes, X is being validated when Y comes, and X is refused: Y is tried", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "", "X");
  await offer(story, "", "Y");
  await story.advance(500);
  await story.refused("unknown exporter");
  await story.advance(86_400_000);
  expect(prepares(story, "")).toBe(2);
});

test("a FAILED that is not on disk is not told while saving fails", async () => {
  let error: string | null = null;
  const memory = { ...GOOD_A, lastReceived: offerOf("B"), status: { is: "applied", hash: "B", error: "" } as const, trials: [{ of: "offer" as const, hash: "B", digest: "", executable: "", lives: 1 }] };
  const story = new Story({ memory, remembered: null, saveError: () => error });
  await story.post({ is: "server-connected" });
  await story.post({ is: "executable-not-described", error: "no such file" });
  error = "no space left on device";
  await offer(story, "C");
  await story.advance(100);
  await story.post({ is: "executable-described", facts: testFacts });
  await story.prepared(); // A
  await story.prepared(); // B comes back
  await story.started();
  await story.exited({ code: 1 });
  expect(story.saves.some(({ status }) => status?.is === "failed")).toBe(false);
  expect(told(story)).not.toBe("failed B");
});

test("nor is it told when somebody asks for another try meanwhile", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, saveError: () => error });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await story.exited();
  await story.started();
  error = "no space left on device";
  await story.exited({ code: 1 }); // B fails, which cannot be stored
  const before = told(story);
  await offer(story, "C"); // nor can C
  await story.post({ is: "retry-requested" }); // C is to be tried again
  await story.post({ is: "executable-not-described", error: "no such file" });
  const diskSays = story.saves.at(-1)?.status;
  expect({ before, now: told(story), disk: `${diskSays?.is ?? "none"} ${diskSays?.hash ?? ""}` }).toMatchObject({ now: "applying B" });
});

test("deaths over new local files are counted, also when every second one comes before they are prepared", async () => {
  let memory: Memory = { ...emptyMemory, ...GOOD_A };
  let deaths = 0;
  for (; deaths < 20; deaths++) {
    const story = new Story({ memory });
    await story.post({ is: "server-connected" });
    if (deaths % 2 === 0) {
      await story.prepared({ digest: "digest-A-new-files" });
      if (story.state.standIn !== null) break;
      await story.started();
      await story.health("healthy");
    }
    memory = saved(story, memory);
  }
  expect(deaths).toBeLessThan(10);
});

test("a clean restart between two deaths over new local files forgets the first", async () => {
  let memory: Memory = { ...emptyMemory, ...GOOD_A };
  let deaths = 0;
  for (; deaths < 20; deaths++) {
    const story = new Story({ memory });
    await story.prepared({ digest: "digest-A-new-files" });
    if (story.state.standIn !== null) break;
    await story.started();
    await story.health("healthy");
    memory = saved(story, memory); // killed
    const clean = new Story({ memory });
    await clean.settle();
    await clean.post({ is: "shutdown-requested", because: "stopped" }); // before anything was prepared
    memory = saved(clean, memory);
  }
  expect(deaths).toBeLessThan(10);
});

test("deaths over an offer are counted, also when it is FAILED for want of an executable in between", async () => {
  let memory: Memory = { ...emptyMemory, ...GOOD_A, lastReceived: offerOf("B"), status: APPLYING("B") };
  let deaths = 0;
  for (; deaths < 20; deaths++) {
    const story = new Story({ memory });
    await story.settle();
    await story.prepared(); // A
    if (story.state.rollout.is === "idle" && story.state.waiting === null) await story.advance(60_000);
    if (story.state.offers.failures.length > 0) break;
    await story.prepared(); // B
    await story.started();
    memory = saved(story, memory); // killed over B
    // The next boot: its file system is mounted late; and it is restarted (cleanly) once more.
    const boot = new Story({ memory, remembered: null });
    await boot.settle();
    await boot.post({ is: "executable-not-described", error: "no such file" });
    await boot.post({ is: "shutdown-requested", because: "restart" });
    memory = saved(boot, memory);
  }
  expect(deaths).toBeLessThan(10);
});

test("what comes back and kills the supervisor is not begun for ever while the disk is full", async () => {
  const memory: Memory = { ...emptyMemory, ...GOOD_A, lastReceived: offerOf("B"), status: { is: "applied", hash: "B", error: "" }, trials: [{ of: "offer", hash: "B", digest: "", executable: "", lives: 1 }] };
  let disk = memory;
  let begun = 0;
  for (let life = 0; life < 10; life++) {
    const story = new Story({ memory: disk, saveError: () => "no space left on device" });
    await story.prepared(); // A
    if (prepares(story, "B") > 0) {
      begun++;
      await story.prepared();
      await story.started(); // killed over B
    }
    disk = saved(story, disk);
  }
  expect(begun).toBeLessThanOrEqual(3);
});

test("another Collector version ends the memory of a configuration over which the supervisor died", async () => {
  const memory: Memory = { ...emptyMemory, ...GOOD_A, lastReceived: offerOf("B"), status: APPLYING("B"), trials: [{ of: "offer", hash: "B", digest: "", executable: testFacts.identity, lives: 3 }] };
  const story = new Story({ memory });
  await story.up();
  expect(told(story)).toBe("failed B");
  // Upgraded, which is noticed at its next start.
  await story.exited({ signal: "SIGTERM" });
  await story.post({ is: "executable-described", facts: EXE2 });
  for (let i = 0; i < 5; i++) {
    if (story.state.base.preparing !== 0) await story.prepared();
    if (story.state.process.is === "starting") {
      await story.started();
      await story.health("healthy");
    }
    await story.advance(1_000);
  }
  await story.advance(86_400_000);
  await offer(story, "B");
  await story.advance(1_000);
  if (story.state.rollout.is === "preparing") await story.prepared();
  expect(story.state.rollout.is).toBe("trying");
});

test("another Collector version ends the memory of new local files over which it died", async () => {
  const memory: Memory = { ...emptyMemory, ...GOOD_A, trials: [{ of: "base", hash: "", digest: "digest-A-new-files", executable: testFacts.identity, lives: 3 }] };
  const story = new Story({ memory, remembered: { executable: EXE2, description: null, components: null } });
  await story.settle();
  await story.prepared({ digest: "digest-A-new-files" });
  expect(story.state.standIn).toBeNull();
});

test("what was applied cannot be prepared (no room for its text): what is good runs meanwhile", async () => {
  const memory: Memory = { ...emptyMemory, ...GOOD_A, lastReceived: offerOf("B"), status: { is: "applied", hash: "B", error: "" }, trials: [{ of: "offer", hash: "B", digest: "", executable: "", lives: 1 }] };
  const story = new Story({ memory });
  await story.post({ is: "server-connected" });
  await story.prepared(); // A
  for (let i = 0; i < 100; i++) {
    if (story.state.rollout.is === "preparing") await story.refused("no space left on device", { isBlameless: true });
    await story.advance(30_000);
  }
  expect(story.state.process.is).not.toBe("down");
});

test("without hashes, deaths over one are not those of another", async () => {
  const memory: Memory = { ...emptyMemory, ...GOOD_A, lastReceived: offerOf("B", ""), status: APPLYING(""), trials: [{ of: "offer", hash: "", digest: "", executable: "", lives: 2 }] };
  const story = new Story({ memory });
  await story.up();
  await offer(story, "", "C"); // instead
  await story.advance(500);
  const next = new Story({ memory: saved(story, memory) }); // killed once over C
  await next.up();
  expect(next.state.offers.status?.error ?? "").not.toContain("the supervisor ended");
});

test("the same content under a new hash is not tried once more after the supervisor died over it", async () => {
  let memory: Memory = { ...emptyMemory, ...GOOD_A };
  let deaths = 0;
  for (let hash = 1; hash <= 10; hash++) {
    for (let life = 0; life < 6; life++) {
      const story = new Story({ memory });
      await story.up();
      if (life === 0) await offer(story, `B${hash}`, "B");
      if (story.state.waiting !== null) await story.advance(2_000);
      if (story.state.rollout.is === "preparing") await story.prepared();
      memory = saved(story, memory);
      if (story.state.rollout.is !== "trying") break;
      deaths++; // killed over B
    }
  }
  expect(deaths).toBeLessThanOrEqual(3);
});

test("another executable with the text that is good kills the supervisor: bounded, and the failures are not flooded", async () => {
  const other = { digest: "digest-X", executable: testFacts.identity, hash: "X", reason: "boom", version: "", at: "", isDeadly: false };
  let memory: Memory = { ...emptyMemory, ...GOOD_A, failures: [other] };
  const starts: string[] = [];
  for (let life = 0; life < 120; life++) {
    const story = new Story({ memory, remembered: { executable: EXE2, description: null, components: null } });
    await story.settle();
    await story.prepared();
    if (story.state.process.is === "starting") {
      starts.push(story.state.process.run.build.prepared.digest);
      await story.started();
      await story.health("healthy"); // killed
    }
    memory = saved(story, memory);
  }
  expect({ starts: starts.length, isX: memory.failures.some(({ hash }) => hash === "X"), failures: memory.failures.length }).toMatchObject({ isX: true });
});

test("an offer that cannot be stored comes while the executable is away: the server is told FAILED for it", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, remembered: null, saveError: () => error });
  await story.post({ is: "server-connected" });
  await story.post({ is: "executable-not-described", error: "no such file" });
  error = "no space left on device";
  await offer(story, "C");
  await story.advance(3_600_000);
  expect(told(story)).toBe("failed C");
});
