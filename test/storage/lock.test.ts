import { build } from "esbuild";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openStore, reload, temporaryDirectory } from "./open-store.js";

let program = "";

beforeAll(async () => {
  const place = mkdtempSync(join(tmpdir(), "opampsupervisor-lock-"));
  program = join(place, "hold-lock.mjs");
  await build({ entryPoints: [join(import.meta.dirname, "fixtures/hold-lock.ts")], outfile: program, bundle: true, platform: "node", format: "esm" });
  return () => rmSync(place, { recursive: true });
});

/** Another process that holds the lock. */
async function hold(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, directory], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("held\n");
  return child;
}

async function refusal(directory: string): Promise<unknown> {
  return openStore(directory).then(() => null, (error: unknown) => error);
}

test("a second process is refused and told the pid and the remedy; when the first is killed the next one starts", async () => {
  const directory = await temporaryDirectory();
  const holder = await hold(directory);
  expect(await refusal(directory)).toMatchObject({
    code: "storage-locked",
    message: `another supervisor (pid ${holder.pid}) uses storage.directory ${directory}: stop it, or give this one a storage.directory of its own`,
  });
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const { store } = await openStore(directory);
  expect(JSON.parse(await readFile(join(directory, "supervisor.lock"), "utf8"))).toMatchObject({ pid: process.pid });
  await store.close();
  expect(await readdir(directory)).toEqual([]);
});

test("another way to the same directory is the same directory", async () => {
  const directory = await temporaryDirectory();
  const link = join(await temporaryDirectory(), "link");
  await symlink(directory, link);
  await hold(directory);
  expect(await refusal(link)).toMatchObject({ code: "storage-locked" });
});

test("two directories do not stand in each other's way", async () => {
  await hold(await temporaryDirectory());
  expect((await reload(await temporaryDirectory())).firstStart).toBe(true);
});

test("twice in one process is refused as well, and closing gives it free", async () => {
  const directory = await temporaryDirectory();
  const { store } = await openStore(directory);
  expect(await refusal(directory)).toMatchObject({ code: "storage-locked" });
  await store.close();
  await reload(directory);
});

test("a refused one leaves the files of the first alone", async () => {
  const directory = await temporaryDirectory();
  await hold(directory);
  await writeFile(join(directory, "validate-config-1.yaml"), "in use");
  await refusal(directory);
  expect((await readdir(directory)).sort()).toEqual(["supervisor.lock", "validate-config-1.yaml"]);
});

/** As if the holder lived in a container with a network of its own: only its record is seen. */
async function withRecord(change: Record<string, unknown> | string): Promise<string> {
  const elsewhere = await temporaryDirectory();
  const holder = await hold(elsewhere);
  const record = JSON.parse(await readFile(join(elsewhere, "supervisor.lock"), "utf8")) as Record<string, unknown>;
  expect(record["pid"]).toBe(holder.pid);
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "supervisor.lock"), typeof change === "string" ? change : JSON.stringify({ ...record, ...change }));
  return directory;
}

test("the record of a living process counts without the kernel's lock", async () => {
  expect(await refusal(await withRecord({}))).toMatchObject({ code: "storage-locked" });
});

test.each([
  ["of a time before the reboot", { bootId: "another" }],
  ["of a pid that was given out again", { startTime: "1" }],
  ["of a dead process", { pid: 2 ** 22 + 1 }],
  ["with a senseless pid", { pid: -1 }],
  ["that is empty", ""],
  ["that is noise", "\0{"],
  ["that is too large", " ".repeat(10_000)],
])("a record %s holds nobody off", async (_, change) => {
  const { store } = await openStore(await withRecord(change));
  await store.close();
});
