/** What the kernel counted, in the files that it would count in. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MemoryKills } from "../../src/collector/memory-kills.js";

const KILLED = { code: null, signal: "SIGKILL" } as const;

async function host(files: Readonly<Record<string, string>>): Promise<{ kills: MemoryKills; write: (file: string, text: string) => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "opampsupervisor-kills-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  return { kills: new MemoryKills(root), write };
}

test.each([
  ["a control group of version 2", "0::/system.slice/x.service\n", "sys/fs/cgroup/system.slice/x.service/memory.events", "low 0\noom 0\noom_kill 3\n", "cgroup"],
  ["a container, whose group is the root", "0::/\n", "sys/fs/cgroup/memory.events", "oom 0\noom_kill 3\noom_group_kill 0\n", "cgroup"],
  ["a container that is shown the path of its host", "0::/docker/abc\n", "sys/fs/cgroup/memory.events", "oom_kill 3\n", "cgroup"],
  ["version 1", "5:cpu,cpuacct:/a\n4:memory:/a\n", "sys/fs/cgroup/memory/a/memory.oom_control", "under_oom 0\noom_kill 3\n", "cgroup"],
  ["a host that counts only as a whole", "", "proc/vmstat", "pgfault 7\noom_kill 3\n", "host"],
])("%s", async (_, group, file, text, expected) => {
  const { kills, write } = await host({ "proc/self/cgroup": group, [file]: text });
  const before = await kills.mark();
  expect(await kills.judge(KILLED, before)).toBe("none");
  await write(file, text.replace("oom_kill 3", "oom_kill 4"));
  expect(await kills.judge({ code: 1, signal: null }, before)).toBe("none");
  expect(await kills.judge({ code: 137, signal: null }, before)).toBe(expected);
  expect(await kills.judge(KILLED, before)).toBe(expected);
});

test("another process of the host is nobody's business where the own group counts", async () => {
  const { kills, write } = await host({ "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.events": "oom_kill 0\n", "proc/vmstat": "oom_kill 1\n" });
  const before = await kills.mark();
  await write("proc/vmstat", "oom_kill 2\n");
  expect(await kills.judge(KILLED, before)).toBe("none");
});

test("where nothing is counted nothing is claimed", async () => {
  const { kills } = await host({});
  const before = await kills.mark();
  expect(await kills.judge(KILLED, before)).toBe("none");
});
