/** What is shown as the effective configuration while no Collector runs that could report it. */
import { expect, test } from "vitest";
import type { EffectiveFile } from "../../src/core/values.js";
import { offerOf, Story } from "../support/story.js";

test("after a failed trial it is the one with nothing to run again", async () => {
  const story = new Story();
  await story.up();
  await story.post({ is: "remote-config-offered", config: offerOf("E") });
  await story.prepared({ runs: false });
  await story.exited();
  await story.post({ is: "config-shown", digest: "digest-E", files: filesOf("E") });
  await story.advance(5_000);
  await story.post({ is: "remote-config-offered", config: offerOf("B") });
  await story.prepared();
  await story.post({ is: "config-shown", digest: "digest-B", files: filesOf("B") });
  await story.started();
  await story.exited({ code: 1 });
  expect(story.state.offers.status).toMatchObject({ is: "failed", hash: "B" });
  expect(story.reports.at(-1)?.effectiveConfig).toEqual(filesOf("E"));
});

function filesOf(name: string): readonly EffectiveFile[] {
  return [{ name: "", body: new TextEncoder().encode(name), contentType: "text/yaml" }];
}
