/** What the log and the history say of a course of events: nothing that a person would ask for is missing. */
import { expect, test } from "vitest";
import { GOOD_A, offerOf, Story } from "../support/story.js";

test("a crash is told although the restart follows in the same turn", async () => {
  const story = new Story();
  await story.up();
  story.recorded.splice(0);
  await story.exited({ signal: "SIGKILL" });
  expect(story.recorded).toEqual([
    expect.stringMatching(/^Collector ended unasked \{"because":"the Collector was killed by SIGKILL","crashes":1,"attempt":1,"hash":""/),
    expect.stringMatching(/^Collector starts \{"attempt":2,/),
  ]);
});

test("a crash that is followed by a pause is told once", async () => {
  const story = new Story();
  await story.up();
  await story.exited({ code: 1 });
  await story.started();
  story.recorded.splice(0);
  await story.exited({ code: 1 });
  while (story.state.process.is === "down") await story.advance(100);
  expect(story.recorded).toEqual([
    expect.stringMatching(/^Collector ended unasked \{"because":"the Collector exited with code 1 before it was healthy","crashes":2,"attempt":2/),
    expect.stringMatching(/^Collector starts \{"attempt":3,/),
  ]);
});

test("a restart that was commanded is no crash", async () => {
  const story = new Story();
  await story.up();
  story.recorded.splice(0);
  await story.post({ is: "restart-commanded" });
  await story.exited();
  expect(story.recorded).toEqual([
    'Collector stops {"attempt":1,"because":"the server commanded a restart","hash":"","config":"digest-local"}',
    expect.stringMatching(/^Collector starts \{"attempt":2,"because":"the server commanded a restart"/),
  ]);
});

test("each decision is a record with its reason, a hash and an attempt", async () => {
  const story = new Story({ memory: GOOD_A, policy: { hasStartupFallback: true } });
  await story.up();
  await story.swap("B");
  await story.post({ is: "remote-config-offered", config: offerOf("C") });
  await story.advance(2_000);
  await story.refused("unknown exporter");
  await story.post({ is: "remote-config-offered", config: offerOf("C") });
  await story.swap("D");
  await story.exited({ code: 1 });
  for (let crash = 1; crash <= 60 && !story.recorded.some((line) => line.startsWith("Collector is held")); crash++) {
    await story.crash();
    if (story.state.standIn?.preparing) await story.prepared();
  }
  const records = story.recorded.map((line) => {
    const at = line.indexOf(" {");
    const fields = JSON.parse(line.slice(at + 1)) as Record<string, unknown>;
    return { ...fields, what: line.slice(0, at) };
  });
  const kinds = new Set(records.map(({ what }) => what));
  for (const what of ["Collector starts", "Collector stops", "Collector ended unasked", "Collector is held", "Remote configuration received", "Remote configuration refused", "Remote configuration superseded", "Remote configuration failed", "Known status is repeated", "Going back", "Stepping down"]) {
    expect([...kinds], what).toContain(what);
  }
  for (const record of records) {
    expect(record, record.what).toMatchObject({ because: expect.stringMatching(/./) as string, hash: expect.any(String) as string, attempt: expect.any(Number) as number });
  }
});
