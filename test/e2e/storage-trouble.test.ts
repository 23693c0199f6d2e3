/** A damaged or full storage directory loses what is in the file that is damaged, and never what runs. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { nopPipeline } from "./support/configs.js";
import type { Host } from "./support/host.js";
import { setStage } from "./support/stage.js";

/** Each file, and what its loss means; null where it is not read, or written anew without a word. */
const FILES: readonly (readonly [string, string | null])[] = [
  ["persistent_state.yaml", "what of the instance uid and the outcome of the last remote configuration no other file holds"],
  ["last_recv_remote_config.dat", "the last received remote configuration; the server is told that there is none and sends it again"],
  ["opampsupervisor_state.json", "what was on trial, what failed, and the proof that the last configuration ran; it is validated again"],
  ["collector.json", "what the Collector said of itself in its last run; it is asked again"],
  ["effective.yaml", null],
  ["supervisor.lock", null],
  ["agent.log", null],
];

test.each([
  ["empty", ""],
  ["garbage", "\u0000\u0007{[not: any: format"],
])("a file that is %s is set aside with what is lost, and everything runs", async (_what, text) => {
  const stage = await setStage({ sections: { agent: { config_probation: "0s" } } });
  const first = await stage.up();
  await stage.apply(nopPipeline("good"));
  const { uid } = stage.agent;
  await first.end();
  for (const [name, lost] of FILES) {
    await stage.host.write(`storage/${name}`, text);
    const supervisor = await stage.up();
    await stage.until("what worked", () => stage.agent.effectiveConfig.includes("nop/good"));
    const file = stage.host.path(`storage/${name}`);
    const warnings = supervisor.log.filter(({ level }) => level !== "info");
    expect(warnings, name).toMatchObject(lost === null ? [] : [{ level: "warn", msg: "A damaged file was set aside", file, lost, kept_as: `${file}.damaged-1` }]);
    if (lost !== null) expect(await stage.host.read(`storage/${name}.damaged-1`)).toBe(text);
    expect(await supervisor.end(), name).toEqual({ code: 0, signal: null });
    expect(stage.agent.uids, name).toEqual([uid]);
  }
  expect(await readdir(stage.host.storage)).not.toContain("supervisor.lock.damaged-1");
});

test("a remote configuration that was cut off is set aside", async () => {
  const stage = await setStage({ sections: { agent: { config_probation: "0s" } } });
  const first = await stage.up();
  await stage.apply(nopPipeline("good"));
  await first.end();
  await truncate(`${stage.host.storage}/last_recv_remote_config.dat`, 20);
  const second = await stage.up();
  expect(second.said("A damaged file was set aside")).toMatchObject([{ level: "warn", file: `${stage.host.storage}/last_recv_remote_config.dat` }]);
  await stage.until("what is still known to work", () => stage.agent.effectiveConfig.includes("nop/good"));
});

test("a disk that is full stops no Collector, refuses new configurations with the reason, and recovers", async () => {
  const stage = await setStage();
  const disk = await smallDisk(stage.host);
  const supervisor = await stage.up(disk.user);
  await stage.apply(nopPipeline("good"));
  const pid = await stage.collector();

  await disk.fill();
  const hash = await stage.send(nopPipeline("unstorable"));
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  expect(error).toMatch(/^cannot store the configuration, so it was not tried: .*(ENOSPC|EACCES).*; free or repair the storage directory$/);
  expect(await stage.collector()).toBe(pid);
  await stage.until("the health tree to say so", () => stage.agent.health !== null && JSON.stringify(stage.agent.health, noBigInts).includes(disk.code));

  // What runs is restarted too.
  process.kill(pid, "SIGKILL");
  await supervisor.logs("Collector ended unasked");
  await stage.until("health again", () => stage.agent.healthy);

  await disk.free();
  await supervisor.logs("Storage can be written again");
  await stage.apply(nopPipeline("storable"));
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/storable");
});

interface Disk {
  readonly code: string;
  readonly user: { uid?: number };
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** A small file system where that is permitted, else a directory that is closed to writing. */
async function smallDisk(host: Host): Promise<Disk> {
  await mkdir(host.storage, { mode: 0o700 });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", host.storage], { stdio: "ignore" });
  } catch {
    return closedDirectory(host);
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", host.storage]));
  const ballast = `${host.storage}/ballast`;
  return {
    code: "ENOSPC",
    user: {},
    fill: () => writeFile(ballast, Buffer.alloc(4 * 1024 * 1024)).catch(() => undefined),
    free: () => truncate(ballast, 0),
  };
}

function closedDirectory(host: Host): Disk {
  return { code: "EACCES", user: {}, fill: () => chmod(host.storage, 0o500), free: () => chmod(host.storage, 0o700) };
}

function noBigInts(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
