import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseUuid } from "../../src/storage/uuid.js";
import { failingFileSystem } from "./failing-file-system.js";
import { NEW_UID, openStore, OTHER_UID, reload, temporaryDirectory } from "./open-store.js";

test("a new identity is on disk before it is answered, and stays", async () => {
  const directory = await temporaryDirectory();
  const first = await reload(directory);
  const second = await reload(directory, { newInstanceUid: () => OTHER_UID });
  expect([first.memory.instanceUid, first.firstStart]).toEqual([NEW_UID, true]);
  expect([second.memory.instanceUid, second.firstStart]).toEqual([NEW_UID, false]);
  expect(first.lines).toEqual([]);
});

test("a new identity that cannot be stored is refused with the cause and the remedy", async () => {
  const directory = await temporaryDirectory();
  const fileSystem = failingFileSystem();
  fileSystem.arm(1, "dies");
  const { store } = await openStore(directory, { fileSystem });
  await expect(store.load()).rejects.toMatchObject({
    code: "storage",
    message: `cannot save the state in ${directory}: ENOSPC: no space left on device, write; free space (or inodes, or quota) there`,
  });
  await store.close();
});

test("agent.instance_id counts at the first start only, and the difference is said later", async () => {
  const directory = await temporaryDirectory();
  const first = await reload(directory, { configuredInstanceId: OTHER_UID.toUpperCase() });
  expect(first.memory.instanceUid).toBe(OTHER_UID);
  const second = await reload(directory, { configuredInstanceId: OTHER_UID });
  expect(second.lines).toEqual([]);
  const third = await reload(directory, { configuredInstanceId: NEW_UID });
  expect(third.memory.instanceUid).toBe(OTHER_UID);
  expect(third.lines).toEqual([
    {
      level: "warn",
      message: "Stored instance uid differs from agent.instance_id and is kept",
      fields: { stored: OTHER_UID, configured: NEW_UID, file: join(directory, "persistent_state.yaml") },
    },
  ]);
});

test("a lost identity becomes the configured one, with a warning", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "persistent_state.yaml"), "instance_id: nobody\n");
  const { memory, firstStart, lines } = await reload(directory, { configuredInstanceId: OTHER_UID });
  expect([memory.instanceUid, firstStart]).toEqual([OTHER_UID, false]);
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    "warn A damaged file was set aside",
    "warn Instance uid is lost, so the server sees a new agent",
  ]);
});

test("removing persistent_state.yaml gives a cloned host an identity of its own", async () => {
  const directory = await temporaryDirectory();
  await reload(directory);
  const { rm } = await import("node:fs/promises");
  await rm(join(directory, "persistent_state.yaml"));
  expect((await reload(directory, { newInstanceUid: () => OTHER_UID })).memory.instanceUid).toBe(OTHER_UID);
});

test.each([
  ["018feed6-905b-7aa6-ba37-b0eec565de03", "018feed6-905b-7aa6-ba37-b0eec565de03"],
  ["018FEED6-905B-7AA6-BA37-B0EEC565DE03", "018feed6-905b-7aa6-ba37-b0eec565de03"],
  ["urn:uuid:018feed6-905b-7aa6-ba37-b0eec565de03", "018feed6-905b-7aa6-ba37-b0eec565de03"],
  ["{018feed6-905b-7aa6-ba37-b0eec565de03}", "018feed6-905b-7aa6-ba37-b0eec565de03"],
  ["018feed6905b7aa6ba37b0eec565de03", "018feed6-905b-7aa6-ba37-b0eec565de03"],
  ["00000000-0000-0000-0000-000000000000", null],
  ["018feed6-905b-7aa6-ba37-b0eec565de0", null],
  ["018feed6-905b-7aa6-ba37-b0eec565de033", null],
  ["", null],
])("the UUID %j is read as %j", (text, expected) => {
  expect(parseUuid(text)).toBe(expected);
});
