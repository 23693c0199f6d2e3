/**
 * Whatever a disk or a person does to a file: the start goes on, the rest of the state is used, the file is kept aside.
 * Each file cut off at each length, and filled with noise: every-length.test.ts.
 */
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Memory } from "../../src/core/memory.js";
import { encodeRemoteConfig } from "../../src/storage/remote-config-file.js";
import { NEW_UID, NO_TRIAL, openStore, OTHER_UID, plain, reload, remoteConfig, temporaryDirectory } from "./open-store.js";
import { B, expectLoss, GOOD_TEXT, show, sound, SOUND, STATE_FILES } from "./sound-directory.js";

describe.each(STATE_FILES)("%s", (name) => {
  test.each([
    ["zeros", Buffer.alloc(4096)],
    ["noise", Buffer.from(Array.from({ length: 999 }, (_, index) => (index * 7919 + 31) & 255))],
    ["a list", Buffer.from("- 1\n- 2\n")],
    ["a number", Buffer.from("12\n")],
    ["null", Buffer.from("null\n")],
    ["wrong types", Buffer.from('{"instance_id": [1], "version": "x", "last_remote_config_status": 7, "versions": {}}\n')],
    ["an endless nesting", Buffer.from("[".repeat(100_000))],
    ["aliases that explode", Buffer.from(`a: &a [x,x]\n${"b: &a [*a,*a,*a,*a]\n".repeat(20)}`)],
  ])("%s", async (_, bytes) => {
    const directory = await sound();
    await writeFile(join(directory, name), bytes);
    await expectLoss(directory, name, "content");
    expect(await readFile(join(directory, `${name}.damaged-1`))).toEqual(bytes);
  });

  test("far too large", async () => {
    const directory = await sound();
    await truncate(join(directory, name), 2 ** 30);
    await expectLoss(directory, name, "size");
  });

  test("a directory in its place", async () => {
    const directory = await sound();
    await rm(join(directory, name));
    await mkdir(join(directory, name, "inner"), { recursive: true });
    await expectLoss(directory, name, "directory");
  });

  test("a pipe in its place does not hold up the start", async () => {
    const directory = await sound();
    await rm(join(directory, name));
    execFileSync("mkfifo", [join(directory, name)]);
    await expectLoss(directory, name, "pipe");
  });

  test("a loop of symbolic links in its place", async () => {
    const directory = await sound();
    await rm(join(directory, name));
    await symlink(name, join(directory, name));
    await expectLoss(directory, name, "loop");
  });
});

test("everything is noise at once: a new identity and an empty state", async () => {
  const directory = await sound();
  for (const name of STATE_FILES) await writeFile(join(directory, name), "\0noise");
  const { memory, remembered, firstStart, lines } = await reload(directory);
  expect(memory).toEqual({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: null, lastWorking: null, status: null, proven: null });
  expect([remembered, firstStart]).toEqual([null, false]);
  expect(lines.map(({ message }) => message)).toEqual([
    // No state names the text any more, so nobody reads it.
    ...STATE_FILES.filter((name) => name !== GOOD_TEXT).map(() => "A damaged file was set aside"),
    "Instance uid is lost, so the server sees a new agent",
  ]);
});

test("the received configuration is lost, but it is the one that worked: nothing is lost", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  const memory: Memory = { ...SOUND, ...NO_TRIAL, lastReceived: SOUND.lastWorking, status: { is: "applied", hash: "aa01", error: "" } };
  await store.save(memory);
  await store.close();
  await writeFile(join(directory, "last_recv_remote_config.dat"), "");
  expect(show((await reload(directory)).memory)).toEqual(show(memory));
});

describe("the state file of the Go supervisor, without a file of ours", () => {
  const GO = `instance_id: ${OTHER_UID}\nlast_remote_config_status:\n    status: 3\n    last_remote_config_hash: bb02\n    error_message: no way\n`;

  async function reloadWith(state: string): Promise<Awaited<ReturnType<typeof reload>>> {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "persistent_state.yaml"), state);
    await writeFile(join(directory, "last_recv_remote_config.dat"), encodeRemoteConfig(B));
    return reload(directory);
  }

  test("cut off at every length it has a defined result and the next start keeps it", async () => {
    const kinds = new Map<string, number>();
    for (let length = 0; length < GO.length; length++) {
      const { memory } = await reloadWith(GO.slice(0, length));
      const identity = memory.instanceUid === OTHER_UID ? "kept" : "lost";
      if (identity === "lost") expect(memory.instanceUid).toBe(NEW_UID);
      expect(plain(memory.lastReceived)).toEqual(plain(B));
      const kind = `identity ${identity}, ${memory.status?.is ?? "no status"}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    console.log(`Go's state file: ${GO.length} lengths swept:`, Object.fromEntries(kinds));
    expect([...kinds.keys()].sort()).toEqual(["identity kept, applying", "identity kept, failed", "identity kept, no status", "identity lost, applying"]);
  });

  test.each([
    ["an unknown status number", "status: 4"],
    ["no status number", "error_message: x"],
    ["a word for a status", "status: APPLIED"],
    ["a hash that is none", "status: 1\n    last_remote_config_hash: xyz"],
  ])("%s costs the status only: the configuration is on trial again", async (_, status) => {
    const { memory, lines } = await reloadWith(`instance_id: ${OTHER_UID}\nlast_remote_config_status:\n    ${status}\n`);
    expect(memory.instanceUid).toBe(OTHER_UID);
    expect(memory.status).toEqual({ is: "applying", hash: "bb02", error: "" });
    expect(lines.map(({ message }) => message)).toEqual(["A damaged file was set aside"]);
  });

  test("an identity that is none costs the identity only", async () => {
    const { memory } = await reloadWith(GO.replace(OTHER_UID, "me"));
    expect([memory.instanceUid, memory.status?.is]).toEqual([NEW_UID, "failed"]);
  });

  test("a received configuration that lost its hash is not taken for another one", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "persistent_state.yaml"), GO);
    await writeFile(join(directory, "last_recv_remote_config.dat"), encodeRemoteConfig(remoteConfig("", { "": "b: 1\n" })));
    const { memory, lines } = await reload(directory);
    expect([memory.lastReceived, memory.status]).toEqual([null, null]);
    expect(lines[0]?.fields["problem"]).toBe("its hash is cut off");
  });
});

test("damaged files are kept in a bounded number, the first ones and the newest", async () => {
  const directory = await temporaryDirectory();
  for (let number = 1; number <= 8; number++) {
    await writeFile(join(directory, "persistent_state.yaml"), `damage ${number}`);
    await reload(directory);
  }
  const kept = (await readdir(directory)).filter((name) => name.includes("damaged")).sort();
  expect(kept).toEqual([1, 2, 3, 4, 5].map((number) => `persistent_state.yaml.damaged-${number}`));
  const texts = await Promise.all(kept.map((name) => readFile(join(directory, name), "utf8")));
  expect(texts).toEqual(["damage 1", "damage 2", "damage 3", "damage 4", "damage 8"]);
});

test("a symbolic link in place of a file is replaced, what it points to stays", async () => {
  const directory = await temporaryDirectory();
  const elsewhere = join(await temporaryDirectory(), "target");
  await writeFile(elsewhere, `instance_id: ${OTHER_UID}\n`);
  await symlink(elsewhere, join(directory, "persistent_state.yaml"));
  const { store } = await openStore(directory);
  const { memory } = await store.load();
  await store.save({ ...memory, instanceUid: NEW_UID });
  await store.close();
  expect(await readFile(elsewhere, "utf8")).toBe(`instance_id: ${OTHER_UID}\n`);
  expect((await reload(directory)).memory.instanceUid).toBe(NEW_UID);
});

test.each([
  ["what was applied and is not known to be good has to show that it lasts", "aa01", [{ of: "offer", hash: "bb02", digest: "", executable: "", lives: 1 }], "aa01"],
  ["what was good is good", "bb02", [], "bb02"],
])("our own state is damaged during a rollout: %s", async (_, good, trials, lastWorking) => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.load();
  const A = remoteConfig("aa01", { "": "a: 1\n" });
  const applied = { is: "applied", hash: "bb02", error: "" } as const;
  await store.save({ instanceUid: NEW_UID, ...NO_TRIAL, lastReceived: B, lastWorking: good === "aa01" ? A : B, status: applied, proven: null, trials: [{ of: "offer", hash: "bb02", digest: "", executable: "", lives: 1 }] });
  await store.close();
  await writeFile(join(directory, "opampsupervisor_state.json"), "{");
  const { memory } = await reload(directory);
  expect(memory).toMatchObject({ status: applied, trials, lastWorking: { hash: lastWorking }, lastReceived: { hash: "bb02" } });
});
