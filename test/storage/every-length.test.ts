/**
 * Each state file is cut off at each length, as a disk that lost its end leaves it, and filled with noise. The next life
 * loses what the file held and nothing else: a part of a file is never taken for the whole. `SEED=n` makes other noise.
 */
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { noise } from "../sweep/support/noise.js";
import { copyOf, expectLoss, sound, STATE_FILES } from "./sound-directory.js";

const SEED = Number(process.env["SEED"] ?? 1);
const NOISES = 50;
const NOISE_BYTES_MAX = 4_096;
/** The life after the next one is looked at for a part of them. */
const RESTART_EVERY = 32;

const said: string[] = [];
afterAll(() => console.log(`damaged state files: ${said.join("; ")} (SEED=${SEED})`));

describe.each(STATE_FILES)("%s", (name) => {
  test("cut off at every length", { timeout: 300_000 }, async () => {
    const template = await sound();
    const { length: size } = await readFile(join(template, name));
    // Without its last newline JSON is still whole.
    const end = name.endsWith(".json") ? size - 1 : size;
    for (let length = 0; length < end; length++) {
      const directory = await copyOf(template);
      await truncate(join(directory, name), length);
      await expectLoss(directory, name, `cut at ${length} of ${size}`, length % RESTART_EVERY === 0);
    }
    expect(size).toBeGreaterThan(20);
    said.push(`${name} at ${end} lengths`);
  });

  test(`${NOISES} times noise`, { timeout: 60_000 }, async () => {
    const template = await sound();
    const { length: size } = await readFile(join(template, name));
    for (let number = 0; number < NOISES; number++) {
      const seed = SEED * NOISES + number;
      const directory = await copyOf(template);
      // As long as it was, and any other length.
      const length = number % 2 === 0 ? size : 1 + (noise(seed, 4).readUInt32LE() % NOISE_BYTES_MAX);
      const bytes = noise(seed, length);
      await writeFile(join(directory, name), bytes);
      await expectLoss(directory, name, `noise ${seed}`, number % RESTART_EVERY === 0);
      expect(await readFile(join(directory, `${name}.damaged-1`))).toEqual(bytes);
    }
    said.push(`${name} with ${NOISES} noises`);
  });
});
