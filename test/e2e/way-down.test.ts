/** What runs when what should run cannot: one step down at a time, each told, and up again as soon as it can. */
import { createServer, type Server } from "node:net";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { faulty, nopPipeline, otlpReceiver } from "./support/configs.js";
import { setStage, type Stage } from "./support/stage.js";

async function occupied(port = 0): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const free = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  onTestFinished(() => (server.listening ? free() : undefined));
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, free };
}

/** A configuration whose port is taken: FAILED. Then the port is free. */
async function failed(stage: Stage): Promise<{ readonly hash: string; readonly port: number; /** The number of statuses so far. */ readonly known: number }> {
  const { free, port } = await occupied();
  const hash = await stage.send(otlpReceiver(port));
  expect(await stage.outcome(hash)).toMatchObject({ is: "failed" });
  await free();
  return { hash, port, known: stage.agent.statuses.length };
}

const lastError = (stage: Stage): string => stage.agent.health?.lastError ?? "";

test("a good configuration that crash-loops gives way to the local files; it runs again once its port is free and somebody asks", async () => {
  const stage = await setStage({ sections: { agent: { config_probation: "0s" } } });
  const supervisor = await stage.up();
  const first = await occupied();
  const { port } = first;
  await first.free();
  const hash = await stage.apply(otlpReceiver(port));
  // The restart is immediate: the port is taken in the moment in which no Collector has it.
  const taken = await vi.waitFor(
    async () => {
      process.kill(await stage.collector(), "SIGKILL");
      return occupied(port);
    },
    { timeout: 8_000, interval: 1 },
  );
  await supervisor.logs("Stepping down");
  await stage.until("the local files", () => lastError(stage).startsWith(`configuration ${hash.slice(0, 12)} does not run, the local configuration alone runs instead, and it is tried again: 5 crashes in a row`));
  expect(lastError(stage)).toContain("address already in use");
  expect(stage.agent.healthy).toBe(false);
  // It was good, and the server is told so; its health says what is wrong now.
  expect(stage.agent.status).toMatchObject({ is: "applied", hash });
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "applied"]);
  await stage.collector();

  await taken.free();
  stage.server.fleet.restart(stage.agent.uid);
  await stage.until("the good one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes(String(port)));
  expect(lastError(stage)).toBe("");
});

test.each([
  ["refused", "receivers: {nosuch: }\nservice: {pipelines: {logs: {receivers: [nosuch], exporters: [nop]}}}\n"],
  ["dead at once", faulty("dead", { die_after: "0s" })],
])("changed local files with which the good configuration is %s: it runs as it was proven, and they are used once repaired", async (_, broken) => {
  const stage = await setStage({ sections: { agent: { config_files: ["local.yaml", "quiet.yaml"], config_probation: "1s" } } });
  await stage.host.write("local.yaml", nopPipeline("local"));
  const first = await stage.up();
  const hash = await stage.apply(nopPipeline("remote"));
  await first.logs("Configuration is good", 2);
  await first.end();

  await stage.host.write("local.yaml", broken);
  const second = await stage.up();
  expect((await second.logs("Stepping down"))["to"]).toBe("as-proven");
  await stage.until("the kept text", () => stage.agent.effectiveConfig.includes("nop/local") && stage.agent.effectiveConfig.includes("nop/remote"));
  await stage.until("its health", () => stage.agent.healthy);
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/local");
  const rollout = stage.agent.health?.componentHealthMap["supervisor"]?.componentHealthMap["rollout"];
  expect(rollout).toMatchObject({ healthy: false, status: "standing in" });
  expect(rollout?.lastError).toContain("the last good configuration, as it was proven, runs instead");
  expect(stage.agent.status).toMatchObject({ is: "applied", hash });
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "applied"]);

  await stage.host.write("local.yaml", nopPipeline("repaired"));
  second.signal("SIGHUP");
  await stage.until("the repaired one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/repaired") && stage.agent.effectiveConfig.includes("nop/remote"));
  await stage.collector();
});

test("SIGHUP tries again what failed: somebody has repaired the host", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  const { hash, known, port } = await failed(stage);
  supervisor.signal("SIGHUP");
  expect(await stage.outcome(hash, known)).toMatchObject({ is: "applied" });
  await stage.until("it runs", () => stage.agent.healthy && stage.agent.effectiveConfig.includes(String(port)));
});

test("a restart command lets the server offer again what failed", async () => {
  const stage = await setStage();
  const supervisor = await stage.up();
  const { hash, known, port } = await failed(stage);
  const healthy = supervisor.said("Collector is healthy").length;
  await stage.until("what ran before", () => stage.agent.healthy);
  stage.server.fleet.restart(stage.agent.uid);
  await supervisor.logs("Collector is healthy", healthy + 1);
  await stage.send(otlpReceiver(port), Buffer.from(hash, "hex"));
  expect(await stage.outcome(hash, known)).toMatchObject({ is: "applied" });
});

test("with automatic_config_rollback off what failed stays and is restarted, and nothing is kept to go back to", async () => {
  const stage = await setStage({ sections: { agent: { automatic_config_rollback: false } } });
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  const taken = await occupied();
  const hash = await stage.send(otlpReceiver(taken.port));
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  expect(error).toContain("it stays and is restarted, since agent.automatic_config_rollback is off");
  await supervisor.logs("Collector ended unasked", 3);
  await taken.free();
  await stage.until("it runs at last", () => stage.agent.healthy && stage.agent.effectiveConfig.includes(String(taken.port)));
  expect(stage.agent.status).toMatchObject({ is: "failed", hash });
  expect(await readdir(stage.host.storage)).not.toContain("last_working_remote_config.dat");
});

test.each([
  ["4 KiB", 4, /^[^\n]*exited with code 1[^\n]*\nCollector log tail:\n(?:.*\n){6,}.*address already in use/],
  ["nothing", 0, /^[^\n]*exited with code 1[^\n]*$/],
])("a crash is told with %s of the Collector's last output, where that is asked for", async (_, kib, words) => {
  const stage = await setStage({ sections: { agent: { collector_crash_log_snippet_kib: kib } } });
  await stage.up();
  const taken = await occupied();
  const hash = await stage.send(otlpReceiver(taken.port));
  const { error } = await stage.outcome(hash);
  expect(error).toMatch(words);
  expect(error.length).toBeLessThan(kib * 1_024 + 1_000);
});

test("the history tells each decision with its reason, hash and attempt, and the configurations that ran are kept with their result", async () => {
  const stage = await setStage({ sections: { agent: { config_probation: "0s", config_files: ["quiet.yaml"] } } });
  const supervisor = await stage.up();
  const good = await stage.apply(nopPipeline("good"));
  const bad = await stage.send(faulty("bad", { die_after: "0s" }));
  const { error } = await stage.outcome(bad);
  await stage.until("the good one again", () => stage.agent.healthy);
  await supervisor.end();

  const history = (await stage.host.read("storage/history.jsonl")).trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(history.every(({ time, what }) => !Number.isNaN(Date.parse(String(time))) && typeof what === "string")).toBe(true);
  const told = (what: string): Record<string, unknown> | undefined => history.findLast((line) => line["what"] === what);
  expect(told("Remote configuration failed")).toMatchObject({ hash: bad, because: error });
  expect(told("Going back")).toMatchObject({ hash: good, because: `configuration ${bad.slice(0, 12)} failed` });
  expect(told("Collector starts")).toMatchObject({ attempt: 4, hash: good, because: `configuration ${bad.slice(0, 12)} failed` });

  const directory = join(stage.host.storage, "config_history");
  const index = JSON.parse(await readFile(join(directory, "index.json"), "utf8")) as { file: string; hash: string | null; result: string; because: string }[];
  expect(index.map(({ hash, result }) => [hash, result])).toEqual([[null, "good"], [good, "good"], [bad, "failed"], [good, "healthy"]]);
  expect(index[2]?.because).toBe(error.slice(0, 1_000));
  expect(await readFile(join(directory, index[1]?.file ?? ""), "utf8")).toContain("nop/good");
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});
