/** Reads all files of the directory, sets aside what is damaged, and brings the rest together. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RememberedFacts } from "../core/values.js";
import { COLLECTOR_FACTS_BYTES_MAX, parseCollectorFacts } from "./collector-facts.js";
import { COLLECTOR_FACTS, goodName, isGoodName, LAST_RECEIVED, LAST_WORKING, ON_PROBATION, OWN_STATE, PERSISTENT_STATE } from "./names.js";
import { OWN_STATE_BYTES_MAX, parseOwnState, type OwnState, type StateVersion } from "./own-state.js";
import { parsePersistentState, PERSISTENT_STATE_BYTES_MAX, renderPersistentState, type PersistentState } from "./persistent-state.js";
import { readFile, setAside, type FileKind, type Place, type Reading } from "./read-file.js";
import { recover, type Found, type FoundConfig, type Recovered } from "./recover.js";
import { decodeRemoteConfig, REMOTE_CONFIG_BYTES_MAX } from "./remote-config-file.js";

export interface Loaded extends Recovered {
  readonly remembered: RememberedFacts | null;
  readonly found: Found;
  /** What is on disk speaks of this; empty when `persistent_state.yaml` has to be written anew. */
  readonly versions: readonly StateVersion[];
}

const STATE = {
  name: PERSISTENT_STATE,
  bytesMax: PERSISTENT_STATE_BYTES_MAX,
  loses: "what of the instance uid and the outcome of the last remote configuration no other file holds",
};
const OWN: FileKind<OwnState> = {
  name: OWN_STATE,
  bytesMax: OWN_STATE_BYTES_MAX,
  loses: "what was on trial, what failed, and the proof that the last configuration ran; it is validated again",
  parse: parseOwnState,
};
const RECEIVED: FileKind<ReturnType<typeof decodeRemoteConfig>> = {
  name: LAST_RECEIVED,
  bytesMax: REMOTE_CONFIG_BYTES_MAX,
  loses: "the last received remote configuration; the server is told that there is none and sends it again",
  parse: decodeRemoteConfig,
};
const WORKING: FileKind<ReturnType<typeof decodeRemoteConfig>> = {
  name: LAST_WORKING,
  bytesMax: REMOTE_CONFIG_BYTES_MAX,
  loses: "the remote configuration to fall back to, until the next one works",
  parse: decodeRemoteConfig,
};
const PROBATION: FileKind<ReturnType<typeof decodeRemoteConfig>> = {
  name: ON_PROBATION,
  bytesMax: REMOTE_CONFIG_BYTES_MAX,
  loses: "the remote configuration that was on probation; the one that was good before runs",
  parse: decodeRemoteConfig,
};
const GOOD_TEXT: Omit<FileKind<string>, "name"> = {
  bytesMax: 256 * 1024 * 1024,
  loses: "the text of the last good configuration; it is composed anew from its layers",
  parse: (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
};
const FACTS: FileKind<RememberedFacts> = {
  name: COLLECTOR_FACTS,
  bytesMax: COLLECTOR_FACTS_BYTES_MAX,
  loses: "what the Collector said of itself in its last run; it is asked again",
  parse: parseCollectorFacts,
};

export async function loadFiles(place: Place, acceptsRemoteConfig: boolean): Promise<Loaded> {
  const absent = Promise.resolve({ is: "absent" } as const);
  const ownFile = await readFile(place, OWN);
  const own = ownFile.is === "read" ? ownFile.value : null;
  const [stateFile, receivedFile, workingFile, probationFile, facts, goodText] = await Promise.all([
    readFile(place, { ...STATE, parse: (bytes) => ourWords(bytes, own) ?? parsePersistentState(bytes) }),
    acceptsRemoteConfig ? readFile(place, RECEIVED) : absent,
    acceptsRemoteConfig ? readFile(place, WORKING) : absent,
    acceptsRemoteConfig ? readFile(place, PROBATION) : absent,
    readFile(place, FACTS),
    own === null ? Promise.resolve(null) : readGoodText(place, own.proven?.textDigest ?? ""),
  ]);
  const state = await soundState(place, stateFile, own);
  const received = await soundReceived(place, foundConfig(receivedFile), state);
  const found: Found = { state, own, isOwnDamaged: ownFile.is === "damaged", received, working: foundConfig(workingFile), onProbation: foundConfig(probationFile), goodText };
  const recovered = recover(found);
  const isLeftOver = found.onProbation !== null && recovered.onProbation === null;
  const onProbation = isLeftOver && (await isRemoved(place, ON_PROBATION)) ? null : found.onProbation;
  const remembered = facts.is === "read" ? facts.value : null;
  return { ...recovered, found: { ...found, onProbation }, remembered, versions: versionsOnDisk(found, recovered) };
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function soundState(place: Place, reading: Reading<PersistentState>, own: OwnState | null): Promise<Found["state"]> {
  if (reading.is === "absent") return undefined;
  if (reading.is === "damaged") return null;
  const { bytes, value } = reading;
  if (own !== null && isCutOff(bytes, own)) {
    await setAside(place, STATE, "it is cut off");
    return null;
  }
  if (value.problems.length === 0) return { ...value, digest: digestOf(bytes) };
  await setAside(place, STATE, value.problems.join(", "));
  // The copy in our own file is better than half of this one, unless this one tells of somebody else.
  const isOurs = own !== null && (value.instanceUid === null || value.instanceUid === own.instanceUid);
  return isOurs ? null : { ...value, digest: digestOf(bytes) };
}

/** Most starts find what we wrote ourselves; recognising it is some milliseconds faster than reading YAML. */
function ourWords(bytes: Uint8Array, own: OwnState | null): PersistentState | null {
  if (own === null || !textOf(own).equals(bytes)) return null;
  return { instanceUid: own.instanceUid, status: own.status, problems: [] };
}

/** The beginning of what we wrote is sound YAML as well, but the rest is missing. */
function isCutOff(bytes: Uint8Array, own: OwnState): boolean {
  const whole = textOf(own);
  return bytes.length < whole.length && whole.subarray(0, bytes.length).equals(bytes);
}

/** `persistent_state.yaml` as it belongs to our own file. */
function textOf({ instanceUid, status }: OwnState): Buffer {
  return Buffer.from(renderPersistentState(instanceUid, status));
}

/** The Go supervisor writes the hash last: a file without one, next to a status with one, lost its end. */
async function soundReceived(place: Place, received: FoundConfig | null, state: Found["state"]): Promise<FoundConfig | null> {
  const told = state?.status?.hash ?? "";
  if (received === null || received.config.hash !== "" || told === "") return received;
  await setAside(place, RECEIVED, "its hash is cut off");
  return null;
}

/** Null: there is none, or it is lost. What no state names is left over from a crash in the middle of a save. */
async function readGoodText(place: Place, textDigest: string): Promise<string | null> {
  const name = textDigest === "" ? null : goodName(textDigest);
  const others = (await readdir(place.directory)).filter((other) => isGoodName(other) && other !== name);
  for (const other of others) await isRemoved(place, other);
  if (name === null) return null;
  const kind = { ...GOOD_TEXT, name };
  const reading = await readFile(place, kind);
  if (reading.is === "read" && digestOf(reading.bytes) === textDigest) return reading.value;
  if (reading.is === "read") await setAside(place, kind, "it is cut off or was changed");
  if (reading.is === "absent") place.log.warn("Text of the last good configuration is gone", { file: join(place.directory, name), lost: kind.loses });
  return null;
}

/** Best effort: what nothing names is no harm, and removed by the next start or save. */
async function isRemoved(place: Place, name: string): Promise<boolean> {
  return place.system.remove(join(place.directory, name)).then(() => true, () => false);
}

function foundConfig(reading: Reading<ReturnType<typeof decodeRemoteConfig>>): FoundConfig | null {
  return reading.is === "read" ? { config: reading.value, digest: digestOf(reading.bytes) } : null;
}

function versionsOnDisk({ state, own, received }: Found, recovered: Recovered): StateVersion[] {
  if (state === undefined || state === null || state.problems.length > 0) return [];
  const known = own?.versions.filter((version) => version.state === state.digest) ?? [];
  if (known.length > 0) return known;
  const aboutReceived = recovered.status === state.status;
  return [{ state: state.digest, received: aboutReceived ? (received?.digest ?? "") : "", onProbation: "" }];
}
