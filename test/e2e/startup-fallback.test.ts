/** What runs at the start while there is neither a server nor a good remote configuration, and what a broken fallback does. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "../support/opamp-server.js";
import { nopPipeline } from "./support/configs.js";
import { newHost, setStage, type Stage } from "./support/stage.js";

/** Nobody listens on that port. */
const NOBODY = "ws://127.0.0.1:1/v1/opamp";
const withQuiet = (config: string): string => `${config}  telemetry: {metrics: {level: none}}\n`;
const AGENT = { config_files: ["local.yaml"], startup_fallback_configs: ["fallback.yaml", "quiet.yaml"] };

async function files(host: Stage["host"]): Promise<void> {
  await host.write("local.yaml", withQuiet(nopPipeline("local")));
  await host.write("fallback.yaml", nopPipeline("fallback"));
}

test("without a server the fallback runs, alone; the first connection ends it for good", async () => {
  const stage = await setStage();
  await files(stage.host);
  await stage.host.settings(NOBODY, { agent: AGENT });
  const supervisor = stage.host.start();
  await supervisor.logs("Collector is healthy");
  const effective = await stage.host.read("storage/effective.yaml");
  expect(effective).toContain("nop/fallback");
  expect(effective).not.toContain("nop/local");
  expect(supervisor.said("Collector starts")[0]).toMatchObject({ because: "the startup fallback runs until the server is reached" });
  await supervisor.end();

  // The next life reaches its server: the local files run, and no remote configuration was ever received.
  await stage.settings({ agent: AGENT });
  const second = await stage.up();
  await stage.until("the local one", () => stage.agent.effectiveConfig.includes("nop/local"));
  expect(await stage.host.read("storage/effective.yaml")).not.toContain("nop/fallback");
  const starts = second.said("Collector starts").length;
  const pid = await stage.collector();
  await stage.server.close();
  await second.logs("Server is away, trying again until it returns");
  expect(await stage.collector()).toBe(pid);
  expect(second.said("Collector starts")).toHaveLength(starts);
  expect(stage.agent.healthy).toBe(true);
});

test("without a fallback the local files run alone; the server is found when it comes, and changes nothing by that", async () => {
  const stage = await setStage();
  const { port } = new URL(stage.server.webSocketUrl);
  await stage.server.close();
  await files(stage.host);
  await stage.settings({ agent: { config_files: ["local.yaml"] } });
  const supervisor = stage.host.start();
  await supervisor.logs("Collector is healthy");
  await supervisor.logs("Server is away, trying again until it returns");
  const pid = await stage.collector();
  const back = await startTestServer({ opampPort: Number(port) });
  onTestFinished(() => back.close());
  const agent = await back.until(() => back.agent(), "the agent");
  await back.until(() => agent.health?.healthy === true, "its health");
  expect(agent.remoteConfigStatus?.status ?? 0).toBe(0);
  expect(Buffer.from(agent.effectiveConfig?.configMap?.configMap[""]?.body ?? []).toString()).toContain("nop/local");
  expect(await stage.collector()).toBe(pid);
  expect(supervisor.said("Collector starts")).toHaveLength(1);
});

test("a good remote configuration is better than the fallback", async () => {
  const stage = await setStage({ sections: { agent: { ...AGENT, config_probation: "0s" } } });
  await files(stage.host);
  const first = await stage.up();
  await stage.apply(nopPipeline("remote"));
  await first.end();
  await stage.server.close();
  const second = stage.host.start();
  await second.logs("Collector is healthy");
  const effective = await stage.host.read("storage/effective.yaml");
  expect(effective).toContain("nop/remote");
  expect(effective).toContain("nop/local");
  expect(effective).not.toContain("nop/fallback");
});

const BROKEN = "receivers: {nosuch: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nosuch], exporters: [nop]}}}\n";

test.each([
  ["a component that this Collector does not have", BROKEN, /could not validate startup fallback configs with agent::executable: .*fallback\.yaml.*nosuch/s],
  ["no YAML", "a: [\n", /could not validate startup fallback configs with agent::executable/],
])("on a fresh host a fallback with %s ends the start", async (_, text, words) => {
  const host = await newHost();
  await host.write("fallback.yaml", text);
  await host.settings(NOBODY, { agent: { startup_fallback_configs: ["fallback.yaml"] } });
  const supervisor = host.start();
  expect(await supervisor.ended).toEqual({ code: 1, signal: null });
  expect(supervisor.stderr).toMatch(words);
  expect(await host.collectors()).toEqual([]);
});

test("on a fresh host a fallback that is not there ends the start, and is named", async () => {
  const host = await newHost();
  await host.settings(NOBODY, { agent: { startup_fallback_configs: ["quiet.yaml", "gone.yaml"] } });
  const supervisor = host.start();
  expect(await supervisor.ended).toEqual({ code: 1, signal: null });
  expect(supervisor.stderr).toContain(`could not stat agent::startup_fallback_configs[1] path "${host.path("gone.yaml")}"`);
});

test("a fallback that breaks later stops nothing: it is an error in the log, and without a server the local files run", async () => {
  const stage = await setStage({ sections: { agent: AGENT } });
  await files(stage.host);
  const first = await stage.up();
  await first.end();
  await stage.server.close();
  await stage.host.write("fallback.yaml", BROKEN);
  const second = stage.host.start();
  await second.logs("Collector is healthy");
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/local");
  const [step] = second.said("Stepping down");
  expect(step).toMatchObject({ level: "error", to: "local" });
  expect(String(step?.["because"])).toMatch(/^the startup fallback does not run, .*nosuch/s);
  const line = await second.logs("Startup fallback would not run when it is needed");
  expect(String(line["because"])).toContain(stage.host.path("fallback.yaml"));
});

test("local files that are refused give way to the fallback where nothing better is kept, and the agent says so", async () => {
  const stage = await setStage();
  await files(stage.host);
  await stage.settings({ agent: AGENT });
  await (await stage.up()).end();
  await stage.host.write("local.yaml", BROKEN);
  for (const name of await readdir(stage.host.storage)) if (name.startsWith("good-")) await rm(join(stage.host.storage, name));
  const supervisor = stage.host.start();
  await stage.until("the stand-in", () => /^the local configuration does not run, the startup fallback runs instead/.test(stage.agent.health?.lastError ?? ""));
  expect(stage.agent.healthy).toBe(false);
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/fallback");
  await stage.collector();

  // Repaired, and tried again at once when somebody says so.
  await files(stage.host);
  supervisor.signal("SIGHUP");
  await stage.until("the local one", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/local"));
});
