/** The stand-in does what the real Collector did, for every recorded transcript. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleStandin } from "./bundle-standin.js";
import { play } from "./play.js";
import { readTranscripts } from "./transcript.js";

const standin = { executable: "", directory: "" };

beforeAll(async () => {
  Object.assign(standin, await bundleStandin());
});

afterAll(() => rmSync(standin.directory, { recursive: true, force: true }));

describe("the stand-in plays as recorded", () => {
  const transcripts = readTranscripts();

  it("finds the transcripts", () => {
    expect(transcripts.length).toBeGreaterThan(30);
  });

  it.each(transcripts)("$name", async ({ transcript }) => {
    const { recorded, ...script } = transcript;
    expect(await play(script, standin.executable)).toEqual(recorded);
  });
});
