import { create, toBinary } from "@bufbuild/protobuf";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import type { RememberedFacts, RemoteConfig } from "../../src/core/values.js";
import { AgentDescriptionSchema, AvailableComponentsSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { NEW_UID, NO_TRIAL, openStore, OTHER_UID, plain, provenOf, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const A = remoteConfig("aa01", { "": "service: {}\n", "b.yaml": "receivers: {}\n" });
const B = remoteConfig("bb02", { "": "service: {pipelines: {}}\n" });
const PROVEN = provenOf("0123abcd", "/usr/bin/otelcol:1:2:3");

async function saveAndReload(memory: Memory): Promise<Memory> {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  await store.save(memory);
  await store.close();
  return (await reload(directory)).memory;
}

function plainMemory(memory: Memory): unknown {
  return { ...memory, ...NO_TRIAL, lastReceived: plain(memory.lastReceived), lastWorking: plain(memory.lastWorking) };
}

const MEMORIES: Readonly<Record<string, Memory>> = {
  "nothing received": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: null, lastWorking: null, status: null, proven: null },
  "on trial": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: B, lastWorking: A, status: { is: "applying", hash: "bb02", error: "" }, proven: PROVEN },
  "applied": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: B, lastWorking: B, status: { is: "applied", hash: "bb02", error: "" }, proven: PROVEN },
  "applied, another one is good": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: B, lastWorking: A, status: { is: "applied", hash: "bb02", error: "" }, proven: null },
  "failed with a hostile reason": {
    instanceUid: OTHER_UID,
    ...NO_TRIAL,
    lastReceived: B,
    lastWorking: null,
    status: { is: "failed", hash: "bb02", error: 'no: "quotes" \\ \n\ttabs # and\r\n--- \u0000\u007f\u0085\u2028\ufeff 😀 { [ & * !' },
    proven: null,
  },
  "one that was tried, with the Collector's last words": {
    instanceUid: OTHER_UID,
    ...NO_TRIAL,
    lastReceived: B,
    lastWorking: null,
    status: { is: "failed", hash: "bb02", error: "the Collector exited with code 1", wasTried: true, tail: "panic: no\n\tway" },
    proven: null,
  },
  "a server without hashes": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: remoteConfig("", { "": "x: y" }), lastWorking: null, status: { is: "applied", hash: "", error: "" }, proven: null },
  "a newer one failed while one was on probation": {
    instanceUid: OTHER_UID,
    lastReceived: B,
    lastWorking: null,
    status: { is: "failed", hash: "bb02", error: "why" },
    isTriedAgain: true,
    onProbation: A,
    trials: [{ of: "offer", hash: "aa01", digest: "", executable: "", lives: 2, until: "2026-01-01T00:01:30.000Z" }],
    failures: [{ digest: "0a", executable: "/otelcol:1", hash: "bb02", reason: "why", version: "0.149.0", at: "2026-01-01T00:00:00.000Z", isDeadly: false }],
    proven: null,
  },
  "an empty configuration": { instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: remoteConfig("cc", {}), lastWorking: null, status: { is: "applied", hash: "cc", error: "" }, proven: null },
};

describe("what is saved is loaded", () => {
  test.each(Object.entries(MEMORIES))("%s", async (_, memory) => {
    expect(plainMemory(await saveAndReload(memory))).toEqual(plainMemory(memory));
  });

  test("halves of surrogate pairs in a reason become replacement characters", async () => {
    const status = { is: "failed", hash: "bb02", error: "a\ud800b" } as const;
    const loaded = await saveAndReload({ instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: B, lastWorking: null, status, proven: null });
    expect(loaded.status?.error).toBe("a\ufffdb");
  });

  test("names of files that are special in JavaScript survive, with types and roles", async () => {
    const encoder = new TextEncoder();
    const names = ["__proto__", "constructor", "2", "1", "", "../../etc/passwd", "é\n"];
    const config: RemoteConfig = {
      hash: "dd",
      files: names.map((name) => ({ name, body: encoder.encode(`of ${name}`), contentType: "application/json", role: "receivers" })),
    };
    const loaded = await saveAndReload({ instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: config, lastWorking: null, status: null, proven: null });
    expect(plain(loaded.lastReceived)).toEqual(plain(config));
  });
});

test("the state file has the Go supervisor's fields and form, byte by byte", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  const file = join(directory, "persistent_state.yaml");
  expect(await readFile(file, "utf8")).toBe(`instance_id: ${NEW_UID}\nlast_remote_config_status: null\n`);
  await store.save({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: A, lastWorking: null, status: { is: "failed", hash: "aa01", error: "no\nway" }, proven: null });
  expect(await readFile(file, "utf8")).toBe(
    `instance_id: ${NEW_UID}\nlast_remote_config_status:\n    status: 3\n    last_remote_config_hash: "aa01"\n    error_message: "no\\nway"\n`,
  );
  await store.save({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: A, lastWorking: null, status: { is: "failed", hash: "aa01", error: "exited", wasTried: true, tail: "panic" }, proven: null });
  expect(await readFile(file, "utf8")).toContain('error_message: "exited\\nCollector log tail:\\npanic"\n');
  await store.close();
});

test("what the state file has no place for is not lost to a death between it and our own file", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  const status = { is: "failed", hash: "aa01", error: "exited", wasTried: true, tail: "panic\ud800" } as const;
  await store.save({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: A, lastWorking: null, status, proven: null });
  const file = join(directory, "persistent_state.yaml");
  const before = await readFile(file);
  await store.save({ instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: A, lastWorking: null, status, proven: null });
  await store.close();
  // A power loss: the newer one of the two was not renamed yet.
  await writeFile(file, before);
  const next = await openStore(directory);
  const { memory } = await next.store.load();
  expect(memory.instanceUid).toBe(NEW_UID);
  expect(memory.status).toEqual({ ...status, tail: "panic\ufffd" });
  await next.store.close();
});

test("only files whose content changed are written", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  const applying: Memory = { instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: A, lastWorking: null, status: { is: "applying", hash: "aa01", error: "" }, proven: null };
  await store.save(applying);
  const before = await inodes(directory);
  await store.save({ ...applying, lastReceived: remoteConfig("aa01", { "": "service: {}\n", "b.yaml": "receivers: {}\n" }) });
  expect(await inodes(directory), "the same content in another object").toEqual(before);
  await store.save({ ...applying, proven: PROVEN });
  const after = await inodes(directory);
  expect(changed(before, after)).toEqual([expect.stringMatching(/^good-[0-9a-f]{12}\.yaml$/), "opampsupervisor_state.json"]);
  await store.save({ ...applying, lastWorking: A, status: { is: "applied", hash: "aa01", error: "" }, proven: PROVEN });
  expect(changed(after, await inodes(directory))).toEqual(["last_working_remote_config.dat", "opampsupervisor_state.json", "persistent_state.yaml"]);
  await store.close();
});

test("loading a sound directory writes nothing, and saving what was loaded neither", async () => {
  const directory = await temporaryDirectory();
  const first = await openStore(directory);
  await first.store.load();
  await first.store.save({ instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: A, lastWorking: A, status: { is: "applied", hash: "aa01", error: "" }, proven: PROVEN });
  await first.store.close();
  const before = await inodes(directory);
  const second = await openStore(directory);
  const { memory, firstStart } = await second.store.load();
  await second.store.save(memory);
  await second.store.close();
  expect(await inodes(directory)).toEqual(before);
  expect(firstStart).toBe(false);
  expect(second.lines).toEqual([]);
});

test("what the Collector said of itself is remembered, unknown fields of its messages included", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  const first = await store.load();
  const facts: RememberedFacts = {
    executable: { identity: "/otelcol:1:2", name: "otelcol", version: "0.149.0", allowsNoPipelines: true, resourceForm: "inline" },
    description: create(AgentDescriptionSchema, { identifyingAttributes: [{ key: "service.name" }] }),
    components: create(AvailableComponentsSchema, { hash: new Uint8Array([1, 2]), components: { receivers: {} } }),
  };
  await store.remember(facts);
  await store.close();
  const { remembered, lines } = await reload(directory);
  expect(first.remembered).toBeNull();
  expect(remembered?.executable).toEqual(facts.executable);
  expect(remembered?.description && toBinary(AgentDescriptionSchema, remembered.description)).toEqual(facts.description && toBinary(AgentDescriptionSchema, facts.description));
  expect(remembered?.components && toBinary(AvailableComponentsSchema, remembered.components)).toEqual(facts.components && toBinary(AvailableComponentsSchema, facts.components));
  expect(lines).toEqual([]);
});

test("without accepts_remote_config the remote files and their status stay as they are", async () => {
  const directory = await temporaryDirectory();
  const first = await openStore(directory);
  await first.store.load();
  await first.store.save({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: B, lastWorking: A, status: { is: "failed", hash: "bb02", error: "why" }, proven: null });
  await first.store.close();
  const without = await openStore(directory, { acceptsRemoteConfig: false });
  const { memory } = await without.store.load();
  expect(memory).toEqual({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: null, lastWorking: null, status: null, proven: null });
  await without.store.save({ ...memory, instanceUid: OTHER_UID, proven: PROVEN });
  await without.store.close();
  const again = await reload(directory);
  expect(plainMemory(again.memory)).toEqual({
    instanceUid: OTHER_UID,
    ...NO_TRIAL,
    lastReceived: plain(B),
    lastWorking: plain(A),
    status: { is: "failed", hash: "bb02", error: "why" },
    proven: PROVEN,
  });
});

test("own telemetry of the Go supervisor is left alone", async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, "last_recv_own_telemetry_config.dat");
  await writeFile(file, "not ours");
  const { store } = await openStore(directory);
  await store.load();
  await store.save({ instanceUid: OTHER_UID, ...NO_TRIAL, lastReceived: A, lastWorking: A, status: null, proven: null });
  await store.close();
  expect(await readFile(file, "utf8")).toBe("not ours");
});

async function inodes(directory: string): Promise<Record<string, string>> {
  const entries = (await readdir(directory)).filter((name) => name !== "supervisor.lock").map(async (name) => {
    const { ino, mtimeMs } = await stat(join(directory, name));
    return [name, `${ino}:${mtimeMs}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after).filter((name) => after[name] !== before[name]).sort();
}
