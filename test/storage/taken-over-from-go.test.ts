import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeRemoteConfig } from "../../src/storage/remote-config-file.js";
import { NO_TRIAL, openStore, plain, provenOf, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

const FIXTURES = join(import.meta.dirname, "fixtures/go-0.149.0");
const GO_UID = "01a1fd3c-deec-76e2-bc6b-f1f997fd8b44";
const GOOD = {
  hash: "1234567890",
  files: [
    { name: "a.yaml", body: "receivers: {nop: }\nexporters: {nop: }\n", contentType: "text/yaml", role: "" },
    { name: "", body: "service: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}\n", contentType: "text/yaml", role: "" },
  ],
};

async function takeOver(name: string): Promise<string> {
  const directory = await temporaryDirectory();
  await cp(join(FIXTURES, name), directory, { recursive: true });
  return directory;
}

test("after Go's first start: its identity, nothing received", async () => {
  const { memory, firstStart, lines } = await reload(await takeOver("first-start"));
  expect(memory).toEqual({ instanceUid: "01a1fd2b-fa98-723d-b4ea-8d8c072a8842", ...NO_TRIAL, lastReceived: null, lastWorking: null, status: null, proven: null });
  expect([firstStart, lines]).toEqual([false, []]);
});

test("APPLIED makes what was received last good", async () => {
  const { memory, lines } = await reload(await takeOver("applied"));
  expect(memory.instanceUid).toBe(GO_UID);
  expect(memory.status).toEqual({ is: "applied", hash: "1234567890", error: "" });
  expect(plain(memory.lastReceived)).toEqual(GOOD);
  expect(plain(memory.lastWorking)).toEqual(GOOD);
  expect(lines).toEqual([]);
});

test("FAILED is kept with its reason, and there is nothing good", async () => {
  const { memory } = await reload(await takeOver("failed"));
  expect(memory.status).toEqual({ is: "failed", hash: "00ff", error: "Agent exited unexpectedly with exit code 1 while applying configuration" });
  expect(memory.lastReceived?.hash).toBe("00ff");
  expect(memory.lastWorking).toBeNull();
});

test("FAILED with last_working: that one is good", async () => {
  const directory = await takeOver("failed");
  await cp(join(FIXTURES, "applied/last_recv_remote_config.dat"), join(directory, "last_working_remote_config.dat"));
  expect(plain((await reload(directory)).memory.lastWorking)).toEqual(GOOD);
});

test("Go died between receiving and its status: the received one is on trial", async () => {
  const directory = await takeOver("applied");
  await cp(join(FIXTURES, "failed/last_recv_remote_config.dat"), join(directory, "last_recv_remote_config.dat"));
  const { memory } = await reload(directory);
  expect(memory.status).toEqual({ is: "applying", hash: "00ff", error: "" });
  expect(memory.lastWorking).toBeNull();
});

test("a received configuration without any state runs", async () => {
  const directory = await temporaryDirectory();
  await cp(join(FIXTURES, "applied/last_recv_remote_config.dat"), join(directory, "last_recv_remote_config.dat"));
  const { memory, firstStart } = await reload(directory);
  expect(plain(memory.lastReceived)).toEqual(GOOD);
  expect([memory.status, memory.lastWorking, firstStart]).toEqual([null, null, true]);
});

test("taking over keeps Go's bytes of what did not change", async () => {
  const directory = await takeOver("applied");
  const { store } = await openStore(directory);
  const { memory } = await store.load();
  await store.save({ ...memory, proven: provenOf("ab", "x") });
  await store.close();
  const name = "last_recv_remote_config.dat";
  expect(await readFile(join(directory, name))).toEqual(await readFile(join(FIXTURES, "applied", name)));
  expect(plain((await reload(directory)).memory.lastWorking)).toEqual(GOOD);
});

test("back to Go and here again: Go's newer state counts, not our older one", async () => {
  const directory = await takeOver("first-start");
  const { store } = await openStore(directory);
  await store.load();
  const ours = remoteConfig("0f", { "": "x: y" });
  await store.save({ instanceUid: GO_UID, ...NO_TRIAL, lastReceived: ours, lastWorking: ours, status: { is: "applied", hash: "0f", error: "" }, proven: null });
  await store.close();
  await cp(join(FIXTURES, "applied"), directory, { recursive: true });
  const { memory } = await reload(directory);
  expect(memory.status).toEqual({ is: "applied", hash: "1234567890", error: "" });
  expect(plain(memory.lastReceived)).toEqual(GOOD);
  expect(plain(memory.lastWorking)).toEqual(GOOD);
});

test.each([
  ["UNSET", "{status: 0, last_remote_config_hash: '', error_message: ''}", null],
  ["a missing key", "", null],
  ["upper-case and number-like hashes", "{status: 1, last_remote_config_hash: 12E4, error_message: ''}", { is: "applied", hash: "12e4", error: "" }],
  ["no error message", "{status: 3, last_remote_config_hash: '12e4'}", { is: "failed", hash: "12e4", error: "" }],
])("a state file with %s", async (_, status, expected) => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "last_recv_remote_config.dat"), encodeRemoteConfig(remoteConfig("12e4", { "": "x: y" })));
  await writeFile(join(directory, "persistent_state.yaml"), `instance_id: "${GO_UID}"${status && `\nlast_remote_config_status: ${status}`}`);
  const { memory, lines } = await reload(directory);
  expect([memory.instanceUid, memory.status, lines]).toEqual([GO_UID, expected, []]);
});
