/**
 * The transcripts against the real Collector named by OTELCOL: proof that they are still true. With RECORD_TRANSCRIPTS=1
 * what it does now is written into them instead; look at the difference before it is committed.
 */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { play } from "../examples/collector/play.js";
import { readTranscripts, TRANSCRIPTS } from "../examples/collector/transcript.js";

const executable = process.env["OTELCOL"] ?? "";
const recording = process.env["RECORD_TRANSCRIPTS"] === "1";

describe.skipIf(executable === "")("the real Collector plays as recorded", () => {
  it.each(readTranscripts())("$name", async ({ name, transcript }) => {
    const { recorded, ...script } = transcript;
    const seen = await play(script, executable);
    if (recording) writeFileSync(new URL(`${name}.json`, TRANSCRIPTS), `${JSON.stringify({ ...script, recorded: seen }, null, 2)}\n`);
    else expect(seen).toEqual(recorded);
  });
});
