import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { failingFileSystem } from "./failing-file-system.js";
import { openStore, temporaryDirectory } from "./open-store.js";

async function staged(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith("validate-config-"));
}

test("the very file that was staged becomes effective.yaml, by a rename", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  const path = await store.stageEffective("a: 1\n");
  expect(basename(path)).toMatch(/^validate-config-[0-9a-f]{12}\.yaml$/);
  const { ino } = await stat(path);
  store.activateEffective(path);
  expect((await stat(store.paths.effective)).ino).toBe(ino);
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  expect(await staged(directory)).toEqual([]);
  await store.close();
});

test("the same text is staged once, also when asked for at the same time", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  const paths = await Promise.all([store.stageEffective("a: 1\n"), store.stageEffective("a: 1\n")]);
  expect(await store.stageEffective("a: 1\n")).toBe(paths[0]);
  expect(new Set(paths).size).toBe(1);
  expect(await staged(directory)).toHaveLength(1);
  await store.close();
});

test("text that runs already is not written again, also after a restart", async () => {
  const directory = await temporaryDirectory();
  const first = await openStore(directory);
  await first.store.stageEffective("a: 1\n");
  first.store.activateEffective();
  expect(await first.store.stageEffective("a: 1\n")).toBe(first.store.paths.effective);
  first.store.activateEffective();
  await first.store.close();
  const fileSystem = failingFileSystem();
  const second = await openStore(directory, { fileSystem });
  expect(await second.store.stageEffective("a: 1\n")).toBe(second.store.paths.effective);
  expect(fileSystem.count()).toBe(0);
  await second.store.close();
});

test.each([
  ["changed", (file: string) => writeFile(file, "a: 9\n")],
  ["opened to others", (file: string) => chmod(file, 0o644)],
])("effective.yaml that somebody %s is written again", async (_, change) => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.stageEffective("a: 1\n");
  store.activateEffective();
  await change(store.paths.effective);
  expect(await store.stageEffective("a: 1\n")).not.toBe(store.paths.effective);
  store.activateEffective();
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  expect((await stat(store.paths.effective)).mode & 0o777).toBe(0o600);
  await store.close();
});

test("a newer text is staged while an older one waits: each path stays what it was", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  const older = await store.stageEffective("a: 1\n");
  const newer = await store.stageEffective("b: 2\n");
  store.activateEffective(older);
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  await store.discardStaged(newer);
  expect(await staged(directory)).toEqual([]);
  await store.close();
});

test("discarding what runs leaves it alone, and nothing staged is nothing to discard", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  await store.discardStaged();
  await store.stageEffective("a: 1\n");
  store.activateEffective();
  await store.stageEffective("a: 1\n");
  await store.discardStaged();
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  await store.close();
});

test("a crowd of staged texts is bounded, and closing removes them", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  for (let number = 0; number < 20; number++) await store.stageEffective(`n: ${number}\n`);
  await store.discardStaged();
  expect((await staged(directory)).length).toBeLessThanOrEqual(4);
  await store.close();
  expect(await staged(directory)).toEqual([]);
});

test("a text that is staged again is not the one that a crowd pushes out", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  const first = await store.stageEffective("n: 1\n");
  for (const number of [2, 3, 4]) await store.stageEffective(`n: ${number}\n`);
  expect(await store.stageEffective("n: 1\n")).toBe(first);
  await store.stageEffective("n: 5\n");
  expect(await readFile(first, "utf8")).toBe("n: 1\n");
  expect((await staged(directory)).length).toBeLessThanOrEqual(4);
  await store.close();
});

test("a full disk refuses the staging at each step, leaves what runs, and works again later", async () => {
  for (const failAt of [1, 2, 3]) {
    const directory = await temporaryDirectory();
    const fileSystem = failingFileSystem();
    const { store } = await openStore(directory, { fileSystem });
    await store.stageEffective("a: 1\n");
    store.activateEffective();
    fileSystem.arm(failAt, "fails-once");
    await expect(store.stageEffective("b: 2\n")).rejects.toMatchObject({
      code: "storage",
      message: `cannot write the Collector's configuration in ${directory}: ENOSPC: no space left on device, write; free space (or inodes, or quota) there`,
    });
    expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
    expect(await staged(directory)).toEqual([]);
    await store.stageEffective("b: 2\n");
    store.activateEffective();
    expect(await readFile(store.paths.effective, "utf8")).toBe("b: 2\n");
    await store.close();
  }
});

test("a rename that fails throws, and staging again repairs it", async () => {
  const directory = await temporaryDirectory();
  const fileSystem = failingFileSystem();
  const { store } = await openStore(directory, { fileSystem });
  await store.stageEffective("a: 1\n");
  fileSystem.arm(1, "fails-once");
  expect(() => store.activateEffective()).toThrow("cannot put the Collector's configuration in place");
  await store.stageEffective("a: 1\n");
  store.activateEffective();
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  await store.close();
});

test("the gap holds one operation: the rename; the sync of the directory comes after it", async () => {
  const directory = await temporaryDirectory();
  const fileSystem = failingFileSystem();
  const { store } = await openStore(directory, { fileSystem });
  await store.stageEffective("a: 1\n");
  fileSystem.arm(0, "dies");
  await store.stageEffective("a: 1\n");
  expect(fileSystem.count()).toBe(0);
  store.activateEffective();
  await store.close();
  expect(fileSystem.count()).toBe(2);
});

test("a rename that fails leaves what runs in place, and it needs nothing to run again", async () => {
  const directory = await temporaryDirectory();
  const fileSystem = failingFileSystem();
  const { store } = await openStore(directory, { fileSystem });
  await store.stageEffective("a: 1\n");
  store.activateEffective();
  await store.stageEffective("b: 1\n");
  fileSystem.arm(1, "dies");
  expect(() => store.activateEffective()).toThrow(/no space left on device/);
  expect(await store.stageEffective("a: 1\n")).toBe(store.paths.effective);
  store.activateEffective();
  expect(await readFile(store.paths.effective, "utf8")).toBe("a: 1\n");
  fileSystem.arm(0, "dies");
  await store.close();
});
