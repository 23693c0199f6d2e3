import { chmod, chown, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore, reload, remoteConfig, temporaryDirectory } from "./open-store.js";

/** Root may do everything: as root, the refusals are seen from the place of another user. */
const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;

async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("the directory is made with its parents, 0700, and its files are 0600 whatever the umask", async () => {
  const directory = join(await temporaryDirectory(), "a/b/c");
  const umask = process.umask(0);
  try {
    const { store } = await openStore(directory);
    const { memory } = await store.load();
    const config = remoteConfig("aa", { "": "x: y" });
    await store.save({ ...memory, lastReceived: config, lastWorking: config });
    await store.remember({ executable: { identity: "", name: "", version: "", allowsNoPipelines: false, resourceForm: "list" }, description: null, components: null });
    await store.stageEffective("x: y\n");
    store.activateEffective();
    const names = (await readdir(directory)).sort();
    expect(names).toEqual([
      "collector.json",
      "effective.yaml",
      "last_recv_remote_config.dat",
      "last_working_remote_config.dat",
      "opampsupervisor_state.json",
      "persistent_state.yaml",
      "supervisor.lock",
    ]);
    for (const name of names) expect(`${name} ${await modeOf(join(directory, name))}`).toBe(`${name} 600`);
    expect(await modeOf(directory)).toBe("700");
    expect(await modeOf(join(directory, ".."))).toBe("700");
    await store.close();
  } finally {
    process.umask(umask);
  }
});

test("a directory of ours that is open to others is closed, and it is said", async () => {
  const directory = await temporaryDirectory();
  await reload(directory);
  await chmod(directory, 0o755);
  const { lines } = await reload(directory);
  expect(await modeOf(directory)).toBe("700");
  expect(lines).toEqual([{ level: "info", message: "Storage directory was open to others and is closed now", fields: { directory, mode: "0755" } }]);
});

test("a text that was good and is damaged is ours too: the directory is closed", async () => {
  const directory = await temporaryDirectory();
  await reload(directory);
  for (const name of ["good-0123456789ab.yaml.damaged-1", "collector.json.damaged-5"]) await writeFile(join(directory, name), "x");
  await chmod(directory, 0o755);
  await reload(directory);
  expect(await modeOf(directory)).toBe("700");
});

test("a directory that holds other things is never closed", async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, "mail"));
  await chmod(directory, 0o755);
  const { lines } = await reload(directory);
  expect(await modeOf(directory)).toBe("755");
  expect(lines).toEqual([
    {
      level: "warn",
      message: "Storage directory is open to others and holds other files, so it is left open",
      fields: { directory, mode: "0755", foreign: "mail", remedy: `chmod 700 ${directory}` },
    },
  ]);
});

test.runIf(isRoot)("a directory of another user that is open to others is left as it is", async () => {
  const directory = await temporaryDirectory();
  await chown(directory, NOBODY, NOBODY);
  await chmod(directory, 0o755);
  const { lines } = await reload(directory);
  expect(await modeOf(directory)).toBe("755");
  expect(lines[0]).toMatchObject({ level: "warn", message: "Storage directory is open to others and not ours to close", fields: { owner_uid: NOBODY } });
});

test("a directory that is not writable is refused with whose it is and the remedy", async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o555);
  const { uid } = await stat(directory);
  const us = isRoot ? NOBODY : process.geteuid?.();
  const opening = asNobody(() => openStore(directory).then(() => null, (error: unknown) => error));
  expect(await opening).toMatchObject({
    code: "storage",
    message: expect.stringMatching(
      new RegExp(
        `^storage\\.directory ${directory} \\(mode 0555, owner uid ${uid}\\) is not usable for uid ${us}: ` +
          "EACCES: permission denied, .*; give it to the user that runs the supervisor \\(chown\\) or set storage\\.directory to another place$",
      ),
    ) as unknown,
  });
  await chmod(directory, 0o700);
});

test("a directory that cannot be made is refused", async () => {
  const parent = await temporaryDirectory();
  await chmod(parent, 0o555);
  const error = await asNobody(() => openStore(join(parent, "storage")).then(() => null, (failure: unknown) => failure));
  expect(error).toMatchObject({ code: "storage", message: expect.stringContaining(`storage.directory ${join(parent, "storage")} is not usable for uid`) as unknown });
  await chmod(parent, 0o700);
});

test("a file in place of the directory is refused", async () => {
  const file = join(await temporaryDirectory(), "file");
  await writeFile(file, "");
  await expect(openStore(file)).rejects.toMatchObject({
    code: "storage",
    message: `cannot use the storage directory in ${file}: EEXIST: file already exists, mkdir '${file}'; a file stands where a directory belongs: move it away or set storage.directory to another place`,
  });
});

test("files that nobody may read are set aside", async () => {
  const directory = await temporaryDirectory();
  await reload(directory);
  if (isRoot) for (const name of [".", ...(await readdir(directory))]) await chown(join(directory, name), NOBODY, NOBODY);
  await chmod(join(directory, "persistent_state.yaml"), 0);
  const { lines } = await asNobody(() => reload(directory));
  expect(lines).toMatchObject([{ message: "A damaged file was set aside", fields: { problem: expect.stringContaining("EACCES") as unknown } }]);
});

test("leftovers of a supervisor that was killed are swept, other files stay", async () => {
  const directory = await temporaryDirectory();
  const leftovers = [".persistent_state.yaml.0123456789ab.tmp", ".last_recv_remote_config.dat.0123456789ab.tmp", "validate-config-12.yaml", ".collector.pid.json.tmp"];
  const others = [".hidden.tmp", "notes.txt", "agent.log", "last_recv_own_telemetry_config.dat"];
  for (const name of [...leftovers, ...others]) await writeFile(join(directory, name), "x");
  const { store } = await openStore(directory);
  expect((await readdir(directory)).sort()).toEqual([...others, "supervisor.lock"].sort());
  await store.close();
});
