/** What the storage alone makes of a directory that a death or a full disk left: fast enough for every step. */
import { expect } from "vitest";
import type { LoadedStore } from "../../../src/storage/store.js";
import { AGENT_LOG, COLLECTOR_RECORD, HISTORY, LOCK } from "../../../src/storage/names.js";
import { reload, temporaryDirectory } from "../../storage/open-store.js";
import type { Goal } from "./courses.js";
import { imageOf, restore, type Disk, type Image } from "./disk.js";

/** The storage takes nothing from these at a start, but for the lock, whose holder is still alive here. */
const NOT_READ = [AGENT_LOG, COLLECTOR_RECORD, HISTORY, LOCK];

/** Each distinct disk that a death at some step can leave, with the words of the first such step. */
export class Images {
  readonly #images = new Map<string, { readonly image: Image; readonly step: string }>();

  get size(): number {
    return this.#images.size;
  }

  /** To be called while the program stands still. */
  add(directory: string, disk: Disk, step: string): void {
    for (const image of [imageOf(directory), disk.after("lost"), disk.after("torn")].map(stateOf)) {
      const key = JSON.stringify([...image].sort().map(([name, bytes]) => [name, bytes.toString("latin1")]));
      if (!this.#images.has(key)) this.#images.set(key, { image, step });
    }
  }

  /** Each must lead to one of the two identities and to a status that is true of one of the two configurations. */
  async check(from: Goal, to: Goal): Promise<void> {
    for (const { image, step } of this.#images.values()) {
      const { instanceUid, lastReceived, status } = await loadSound(image, step);
      expect([from.uid, to.uid], step).toContain(instanceUid);
      expect(lastReceived?.hash, step).toBe(status?.hash);
      const outcomes = [from, to].flatMap(({ hash, is }) => [`${is} ${hash}`, `applying ${hash}`]);
      expect(outcomes, step).toContain(`${status?.is} ${status?.hash}`);
    }
  }
}

/** Without what is told to nobody and decides nothing. */
export function stateOf(image: Image): Image {
  return new Map([...image].filter(([name]) => !NOT_READ.includes(name)));
}

/** Loads it, and expects that nothing in it is damaged. */
export async function loadSound(image: Image, where: string): Promise<LoadedStore["memory"]> {
  const directory = await temporaryDirectory();
  await restore(directory, stateOf(image));
  const { lines, memory } = await reload(directory);
  expect(lines, where).toEqual([]);
  return memory;
}
