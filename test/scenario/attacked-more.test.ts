/** The second part of attacked-core.test.ts: what lasts, and what comes after it. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, provenOf, Story, testFacts } from "../support/story.js";

const EXE2 = { ...testFacts, identity: "/otelcol:2", version: "0.150.0" };

function told(story: Story): string {
  const status = story.reports.at(-1)?.remoteConfig.status;
  return `${status?.is} ${status?.hash}`;
}

async function offer(story: Story, hash: string, content = hash): Promise<void> {
  await story.post({ is: "remote-config-offered", config: offerOf(content, hash) });
}

function triesOfB(story: Story): number {
  return story.effects.filter((effect) => effect.do === "prepare-config" && effect.source.is === "layers" && effect.source.remote?.hash === "B").length;
}

test("without hashes, the outcome of an older offer is not told for the newest", async () => {
  let error: string | null = null;
  const story = new Story({ memory: GOOD_A, saveError: () => error });
  await story.up();
  await offer(story, "", "X");
  await story.prepared();
  await story.exited();
  await story.started(); // X is being tried
  error = "no space left on device";
  await offer(story, "", "Y");
  await story.health("healthy");
  error = null;
  await story.advance(3_600_000);
  expect(story.effects.some((effect) => effect.do === "prepare-config" && effect.source.is === "layers" && new TextDecoder().decode(effect.source.remote?.files[0]?.body) === "Y")).toBe(true);
});

test("healthy for a moment in each run, with nothing below: held, each start after a pause", async () => {
  const story = new Story({ memory: { proven: provenOf("other", { text: null, remoteHash: null }) } });
  await story.up();
  const starts: number[] = [];
  const end = story.now + 7_200_000;
  let seen = 0;
  while (story.now < end) {
    for (const effect of story.effects.slice(seen)) {
      seen++;
      if (effect.do === "prepare-config" && seen > 2) await story.prepared();
      if (effect.do === "start-collector") starts.push(story.now);
    }
    const { process } = story.state;
    if (process.is === "starting") {
      await story.started();
      await story.health("healthy");
      await story.advance(1_000);
      await story.exited({ code: 1 });
    } else if (process.is === "healthy") {
      await story.exited({ code: 1 });
    } else await story.advance(1_000);
  }
  const late = starts.filter((at) => at > end - 3_600_000);
  const gaps = late.slice(1).map((at, index) => at - (late[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(100_000);
});

test("another executable: the text is composed for it before it is started with it", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await story.advance(100_000);
  await story.exited({ code: 1 }); // the package manager stops nothing, but it crashes, or the OOM killer takes it
  await story.post({ is: "executable-described", facts: { ...EXE2, resourceForm: "list" } });
  await story.started();
  story.read();
  await story.exited({ code: 1 }); // the new one does not know the form of the resource
  for (let i = 3; i <= 5; i++) await story.crash();
  expect(story.trace.join() + story.effects.filter((e) => e.do === "prepare-config").map((e) => JSON.stringify(e)).join()).toContain("read again");
});

test("an upgrade ends a hold", async () => {
  const story = new Story({ memory: GOOD_A, policy: { hasStartupFallback: false } });
  await story.up();
  await story.exited({ code: 1 });
  for (let i = 2; i <= 5; i++) await story.crash();
  await story.refused("local.yaml: unknown component"); // nothing below
  for (let i = 6; i <= 10; i++) await story.crash();
  expect(story.reports.at(-1)?.health.process).toBe("held");
  await story.post({ is: "executable-described", facts: EXE2 });
  expect(story.reports.at(-1)?.health.process).not.toBe("held");
});

test("what failed with the old executable is tried with the new one when it is offered again (no restart command)", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await story.exited();
  await story.started();
  await story.exited({ code: 1 });
  await story.started();
  await story.health("healthy");
  expect(told(story)).toBe("failed B");
  await story.exited({ signal: "SIGTERM" }); // the package's post-install script
  await story.post({ is: "executable-described", facts: EXE2 });
  if (story.state.base.preparing !== 0) await story.prepared();
  await story.started();
  await story.health("healthy");
  await story.advance(86_400_000);
  story.read();
  await offer(story, "B");
  await story.advance(86_400_000);
  expect(triesOfB(story)).toBe(2);
});

test("nor with other local files after a restart of the supervisor", async () => {
  const story = new Story({ memory: { ...GOOD_A, lastReceived: offerOf("B"), status: { is: "failed", hash: "B", error: "exporter otlp/local is not configured" } } });
  await story.post({ is: "server-connected" });
  await story.prepared({ digest: "digest-A-repaired-files" });
  await story.started();
  await story.health("healthy");
  await story.advance(86_400_000);
  story.read();
  await offer(story, "B");
  await story.advance(86_400_000);
  expect(triesOfB(story)).toBe(1);
});

test("the FAILED of the newest names what runs", async () => {
  const story = new Story({ memory: GOOD_A });
  await story.up();
  await offer(story, "B");
  await story.prepared();
  await story.exited();
  await story.started();
  await story.health("healthy");
  await story.advance(5_000);
  await offer(story, "C");
  await story.prepared();
  await story.exited();
  await story.started();
  await story.exited({ code: 1 }); // C fails, B comes back
  for (let i = 1; i <= 3; i++) await story.crash(); // B fails its probation
  const { status } = story.reports.at(-1)?.remoteConfig ?? {};
  expect(status?.error).not.toMatch(/configuration B, which worked before, runs instead$/);
});

test.each([0, 10, 20, 30, 40, 50])("what stands in is held: what should run need not wait for an hour, though it was tried in vain before (%i min)", async (offset) => {
  const story = new Story({ memory: GOOD_A });
  let works: (text: string) => boolean = () => false;
  const starts: string[] = [];
  let seen = 0;
  const live = async (ms: number): Promise<void> => {
    const end = story.now + ms;
    while (story.now < end) {
      for (const effect of story.effects.slice(seen)) {
        seen += 1;
        if (effect.do === "prepare-config") await story.prepared();
        if (effect.do === "stop-collector" && story.state.process.is === "stopping") await story.exited();
        if (effect.do !== "start-collector" || effect.attempt !== story.state.attempt || story.state.process.is !== "starting") continue;
        const { text } = effect.run.build.prepared;
        starts.push(`${Math.round(story.now / 1000)} ${text}`);
        await story.started();
        await (works(text) ? story.health("healthy") : story.exited({ code: 1 }));
      }
      await story.advance(500);
    }
  };
  await story.post({ is: "server-connected" });
  // A crashes (another program holds its port), the local configuration runs: the pauses between the tries of A grow.
  works = (text) => text === "local";
  await live(4 * 3_600_000 + offset * 60_000);
  // The local configuration crashes too; the port of A is free again.
  works = (text) => text === "A";
  if (story.state.process.is === "healthy") await story.exited({ code: 1 });
  const from = story.now;
  await live(3_600_000);
  const up = starts.find((line) => line.endsWith(" A") && Number(line.split(" ")[0]) * 1000 > from);
  if (offset === 10) console.log(starts.filter((line) => Number(line.split(" ")[0]) * 1000 >= from).join("; "));
  expect(up).toBeDefined();
  expect(Number(up?.split(" ")[0]) * 1000 - from).toBeLessThan(900_000);
});
