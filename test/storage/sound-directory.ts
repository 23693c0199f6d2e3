/** A storage directory in which every state file holds something, and what is lost with each of them. */
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { digestOf } from "../../src/storage/load.js";
import * as names from "../../src/storage/names.js";
import { openStore, OTHER_UID, plain, provenOf, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const A = remoteConfig("aa01", { "": "a: 1\n", "b.yaml": "b: 2\n" });
export const B = remoteConfig("bb02", { "": "b: 1\n" });
const C = remoteConfig("cc03", { "": "c: 1\n", "c.yaml": "d: 2\n" });
/** Most of its beginnings are sound YAML. */
const TEXT = `receivers:\n  nop/é:\n${Array.from({ length: 20 }, (_, number) => `# ${number} 😀\n`).join("")}`;

/** The newest offer has failed while the one before it was on probation. */
export const SOUND: Memory = {
  instanceUid: OTHER_UID,
  lastReceived: B,
  lastWorking: A,
  status: { is: "failed", hash: "bb02", error: "no: way" },
  isTriedAgain: true,
  onProbation: C,
  trials: [{ of: "offer", hash: "cc03", digest: "", executable: "", lives: 1 }],
  failures: [{ digest: "0f", executable: "/otelcol:1", hash: "bb02", reason: "no: way", version: "0.149.0", at: "2026-01-01T00:00:00.000Z", isDeadly: false }],
  proven: { ...provenOf("0123", "/otelcol:1"), text: TEXT },
};

export const GOOD_TEXT = names.goodName(digestOf(Buffer.from(TEXT)));

/** Each state file, and what of the state is lost with it. */
const LOSSES: ReadonlyMap<string, Partial<Memory>> = new Map<string, Partial<Memory>>([
  [names.PERSISTENT_STATE, {}],
  [names.LAST_RECEIVED, { lastReceived: null, status: null, isTriedAgain: false }],
  [names.LAST_WORKING, { lastWorking: null }],
  [names.ON_PROBATION, { onProbation: null }],
  // Nobody knows then whether somebody else ran here in between.
  [names.OWN_STATE, { isTriedAgain: false, proven: null, onProbation: null, trials: [], failures: [] }],
  [GOOD_TEXT, { proven: SOUND.proven && { ...SOUND.proven, text: null } }],
  [names.COLLECTOR_FACTS, {}],
]);

export const STATE_FILES: readonly string[] = [...LOSSES.keys()];

/** A directory of ours with all of it. */
export async function sound(): Promise<string> {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  await store.save(SOUND);
  await store.remember({
    executable: { identity: "/otelcol:1", name: "otelcol", version: "0.149.0", allowsNoPipelines: true, resourceForm: "inline" },
    description: null,
    components: null,
  });
  await store.close();
  return directory;
}

export async function copyOf(template: string): Promise<string> {
  const directory = await temporaryDirectory();
  await cp(template, directory, { recursive: true });
  return directory;
}

/** For comparisons. */
export function show({ lastReceived, lastWorking, onProbation, ...rest }: Memory): unknown {
  return { ...rest, lastReceived: plain(lastReceived), lastWorking: plain(lastWorking), onProbation: plain(onProbation) };
}

/**
 * The next life finds a file damaged: that is said once, the file is kept aside, and of the state only what it held is lost.
 * @param restarts whether the life after that is looked at too: it finds the same and has nothing to say
 */
export async function expectLoss(directory: string, name: string, what: string, restarts = true): Promise<void> {
  const { memory, remembered, lines } = await reload(directory);
  expect(show(memory), what).toEqual(show({ ...SOUND, ...LOSSES.get(name) }));
  expect(remembered === null, what).toBe(name === names.COLLECTOR_FACTS);
  expect(lines.map(({ message }) => message), what).toEqual(["A damaged file was set aside"]);
  expect(lines[0]?.fields, what).toMatchObject({ file: join(directory, name), kept_as: join(directory, `${name}.damaged-1`) });
  expect(await readdir(directory), what).toContain(`${name}.damaged-1`);
  if (!restarts) return;
  const again = await reload(directory);
  // Until something is good again, the state goes on naming the text that is lost.
  const said = name === GOOD_TEXT ? ["Text of the last good configuration is gone"] : [];
  expect(again.lines.map(({ message }) => message), `${what}, second start`).toEqual(said);
  expect(show(again.memory), what).toEqual(show(memory));
}
