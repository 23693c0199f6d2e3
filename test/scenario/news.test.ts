/** What the log and the history say of a course of events: nothing that a person would ask for is missing. */
import { expect, test } from "vitest";
import { Story } from "../support/story.js";

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
    'Collector stops {"attempt":1,"because":"the server commanded a restart"}',
    expect.stringMatching(/^Collector starts \{"attempt":2,"because":"the server commanded a restart"/),
  ]);
});
