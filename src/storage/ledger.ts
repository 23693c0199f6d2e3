/**
 * Knows what each file holds, and plans a save: which files change, and in which order. Configurations come first, then
 * our own file, which announces the coming version of `persistent_state.yaml`, then that. Whatever subset of them a crash
 * leaves, `recover` reads no status into a configuration that it was not written for.
 */
import type { Memory, Proven } from "../core/memory.js";
import type { RemoteConfig, RemoteStatus } from "../core/values.js";
import type { Change } from "./atomic.js";
import { digestOf, type Loaded } from "./load.js";
import { goodName, LAST_RECEIVED, LAST_WORKING, ON_PROBATION, OWN_STATE, PERSISTENT_STATE } from "./names.js";
import { renderOwnState, VERSIONS_MAX, type OwnState, type ProvenRecord, type StateVersion } from "./own-state.js";
import { renderPersistentState } from "./persistent-state.js";
import { encodeRemoteConfig } from "./remote-config-file.js";

export interface SavePlan {
  readonly changes: readonly Change[];
  /** What the files hold once it is carried out. */
  readonly after: ReadonlyMap<string, OnDisk>;
  readonly version: StateVersion;
  /** SHA-256 of the text that is good, null for none. */
  readonly good: string | null;
}

interface OnDisk {
  /** SHA-256 of what matters in it; null: absent. */
  readonly digest: string | null;
  /** What it was made of or read into, for a `.dat` file. */
  readonly config: RemoteConfig | null;
}

interface Draft {
  readonly changes: Change[];
  readonly after: Map<string, OnDisk>;
}

export class Ledger {
  readonly #acceptsRemoteConfig: boolean;
  /** A file that is not in it is written by the next save, whatever it holds. */
  readonly #onDisk = new Map<string, OnDisk>();
  /** The versions of `persistent_state.yaml` that may be on disk, oldest first. */
  #versions: readonly StateVersion[] = [];
  /** The last text and its SHA-256, so that it is not counted with each save. */
  #text: { readonly text: string | null; readonly digest: string } = { text: null, digest: "" };
  /** SHA-256 of the good text that is on disk for certain, and of all that may be. */
  #good: { readonly onDisk: string | null; readonly perhaps: readonly string[] } = { onDisk: null, perhaps: [] };
  /** Where remote configurations are not accepted: what is kept for the day they are again. */
  #kept: Omit<StateVersion, "state"> & { readonly status: RemoteStatus | null } = { status: null, received: "", onProbation: "" };

  constructor(acceptsRemoteConfig: boolean) {
    this.#acceptsRemoteConfig = acceptsRemoteConfig;
  }

  /** What the start has found. */
  note({ found, versions }: Loaded): void {
    const { goodText, onProbation, own, received, state, working } = found;
    this.#versions = versions;
    const { received: receivedDigest = "", onProbation: probationDigest = "" } = versions.at(-1) ?? {};
    this.#kept = { status: state?.status ?? own?.status ?? null, received: receivedDigest, onProbation: probationDigest };
    this.#onDisk.set(LAST_RECEIVED, { digest: received?.digest ?? null, config: received?.config ?? null });
    this.#onDisk.set(LAST_WORKING, { digest: working?.digest ?? null, config: working?.config ?? null });
    this.#onDisk.set(ON_PROBATION, { digest: onProbation?.digest ?? null, config: onProbation?.config ?? null });
    const textDigest = own?.proven?.textDigest ?? "";
    if (goodText !== null) this.#good = { onDisk: textDigest, perhaps: [textDigest] };
    if (versions.length === 0 || state === undefined || state === null) return;
    this.#onDisk.set(PERSISTENT_STATE, { digest: state.digest, config: null });
    const [newest] = own?.versions.slice(-1) ?? [];
    if (own !== null && newest?.state === state.digest) {
      this.#onDisk.set(OWN_STATE, { digest: digestOf(ownBytes({ ...own, versions: [newest] })), config: null });
    }
  }

  /** From here until `confirm` nobody knows which of the files are old and which are new. */
  plan(memory: Memory): SavePlan {
    const draft: Draft = { changes: [], after: new Map() };
    const { failures, instanceUid, isTriedAgain, trials } = memory;
    let { onProbation, received, status } = this.#kept;
    if (this.#acceptsRemoteConfig) {
      // What was applied is never in neither file: it is written here before it is replaced there.
      onProbation = memory.onProbation === null ? "" : this.#planConfig(draft, ON_PROBATION, memory.onProbation);
      received = this.#planConfig(draft, LAST_RECEIVED, memory.lastReceived);
      this.#planConfig(draft, LAST_WORKING, memory.lastWorking);
      status = memory.status;
    }
    const proven = this.#planText(draft, memory.proven);
    const state = Buffer.from(renderPersistentState(instanceUid, status));
    const version = { state: digestOf(state), received, onProbation };
    this.#planOwn(draft, { instanceUid, status, isTriedAgain, proven, trials, failures, versions: [version] }, version);
    this.#planFile(draft, PERSISTENT_STATE, state, digestOf(state), null);
    if (this.#acceptsRemoteConfig && memory.onProbation === null) this.#planConfig(draft, ON_PROBATION, null);
    for (const old of this.#good.perhaps) if (old !== proven?.textDigest) draft.changes.push({ name: goodName(old), bytes: null });
    for (const { name } of draft.changes) this.#onDisk.delete(name);
    this.#versions = mergeVersions(this.#versions, version);
    const good = proven === null || proven.textDigest === "" ? null : proven.textDigest;
    const others = this.#good.perhaps.filter((each) => each !== good);
    this.#good = { onDisk: this.#good.onDisk, perhaps: good === null ? others : [...others, good] };
    return { ...draft, version, good };
  }

  /** The plan was carried out and is durable. */
  confirm({ after, good, version }: SavePlan): void {
    this.#good = { onDisk: good, perhaps: good === null ? [] : [good] };
    for (const [name, file] of after) this.#onDisk.set(name, file);
    this.#versions = [version];
  }

  /** Answers with the digest of the file, "" for none. */
  #planConfig(draft: Draft, name: string, config: RemoteConfig | null): string {
    const before = this.#onDisk.get(name);
    // The Go supervisor's bytes for the same configuration may differ from ours; they stay.
    if (before !== undefined && before.config === config) return before.digest ?? "";
    const bytes = config === null ? null : encodeRemoteConfig(config);
    const digest = bytes === null ? null : digestOf(bytes);
    this.#planFile(draft, name, bytes, digest, config);
    return digest ?? "";
  }

  /** The text is there before the state names it, and the one before it goes after that. */
  #planText(draft: Draft, proven: Proven | null): ProvenRecord | null {
    if (proven === null) return null;
    const { digest, executable, instanceUid, remoteHash, text } = proven;
    if (text !== this.#text.text) this.#text = { text, digest: text === null ? "" : digestOf(Buffer.from(text)) };
    const textDigest = this.#text.digest;
    if (text !== null && textDigest !== this.#good.onDisk) draft.changes.push({ name: goodName(textDigest), bytes: Buffer.from(text) });
    return { digest, executable, instanceUid, remoteHash, textDigest };
  }

  /** The list of versions in it changes with every save; that alone is no reason to write it. */
  #planOwn(draft: Draft, own: OwnState, version: StateVersion): void {
    const bytes = ownBytes({ ...own, versions: mergeVersions(this.#versions, version) });
    this.#planFile(draft, OWN_STATE, bytes, digestOf(ownBytes(own)), null);
  }

  #planFile(draft: Draft, name: string, bytes: Uint8Array | null, digest: string | null, config: RemoteConfig | null): void {
    if (this.#onDisk.get(name)?.digest !== digest) draft.changes.push({ name, bytes });
    draft.after.set(name, { digest, config });
  }
}

function ownBytes(own: OwnState): Buffer {
  return Buffer.from(renderOwnState(own));
}

/** Bounded. The oldest stays: it was on disk before saving began to fail, so it is the likeliest one. */
function mergeVersions(before: readonly StateVersion[], next: StateVersion): StateVersion[] {
  const others = before.filter(({ state, received, onProbation }) => state !== next.state || received !== next.received || onProbation !== next.onProbation);
  const kept = others.length < VERSIONS_MAX ? others : [...others.slice(0, 1), ...others.slice(2)];
  return [...kept, next];
}
