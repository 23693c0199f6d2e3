/** An executable that can be run but not supervised: the supervisor lives, says why, and how to mend it. */
import { rename } from "node:fs/promises";
import { expect, test } from "vitest";
import { nopPipeline } from "./support/configs.js";
import { standIn } from "./support/host.js";
import { provenStage } from "./support/proven.js";
import { setStage } from "./support/stage.js";

/** The pause before another try, and that of the question to the executable, which comes first. */
const RETURN_MS_MAX = 50_000;

test("an executable without the opamp extension", async () => {
  const stage = await setStage();
  await stage.host.write(
    "poor",
    `#!/bin/sh
if [ "$1" = validate ]; then echo "'extensions' unknown type: \\"opamp\\" for id: \\"opamp\\" (valid values: [health_check])" >&2; exit 1; fi
exec '${standIn()}' "$@"
`,
    0o755,
  );
  await stage.settings({ agent: { executable: "./poor" } });
  const supervisor = stage.host.start();
  const line = await supervisor.logs("Collector executable cannot be described");
  const words = `${stage.host.path("poor")} is built without the opamp extension, which the supervisor needs; use a distribution that has it (otelcol-contrib), or add opampextension to its builder configuration`;
  expect(line).toMatchObject({ level: "error", because: words });
  await stage.until("its health", () => stage.agent.health !== null);
  expect(stage.agent.health).toMatchObject({ healthy: false, lastError: words });
  expect(await stage.host.collectors()).toEqual([]);
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

test("a program that is no Collector", async () => {
  const stage = await setStage();
  await stage.host.write("stranger", "#!/bin/sh\necho 'usage: stranger FILE' >&2\nexit 64\n", 0o755);
  await stage.settings({ agent: { executable: "./stranger" } });
  const supervisor = stage.host.start();
  const line = await supervisor.logs("Collector executable cannot be described");
  expect(line["because"]).toBe(
    `${stage.host.path("stranger")} does not answer its command "components" as a Collector does (exit code 64); agent.executable must name an OpenTelemetry Collector; it said: usage: stranger FILE`,
  );
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

test("a Collector whose extension never connects is told to be unhealthy, and lives on", async () => {
  const stage = await setStage({ sections: { agent: { config_files: ["mute.yaml"], bootstrap_timeout: "1s" } } });
  await stage.host.write("mute.yaml", "extensions: {standin_faults: {never_connect: true}}\nservice: {extensions: [standin_faults], telemetry: {metrics: {level: none}}}\n");
  const supervisor = stage.host.start();
  await supervisor.logs("Collector does not report");
  const words = "the Collector runs, but its opamp extension has not reported within agent.bootstrap_timeout; see agent.log in the storage directory";
  await stage.until("its health", () => stage.agent.health?.lastError === words);
  expect(stage.agent.healthy).toBe(false);
  expect(supervisor.isRunning).toBe(true);
  await stage.collector();
});

/** These wait most of the time, so they wait side by side. */
test.concurrent("one that is away while a configuration comes: FAILED says so, and once it is back the configuration is tried without a new offer", { timeout: RETURN_MS_MAX + 30_000 }, async (hooks) => {
  const { stage } = await provenStage({ agent: {}, hooks });
  const { host } = stage;
  await rename(host.path("otelcol"), host.path("away"));
  const hash = await stage.send(nopPipeline("new"));
  const { error, is } = await stage.outcome(hash);
  expect([is, error]).toEqual(["failed", expect.stringContaining("otelcol: there is no such file; ")]);
  expect(stage.agent.healthy, "what runs goes on").toBe(true);
  await rename(host.path("away"), host.path("otelcol"));
  await stage.until("APPLIED", () => stage.agent.status.hash === hash && stage.agent.status.is === "applied", RETURN_MS_MAX);
  expect(stage.agent.courseOf(hash)).toEqual(["applying", "failed", "applying", "applied"]);
  await stage.until("the new one", () => stage.agent.effectiveConfig.includes("nop/new"));
});

test.concurrent("one that is no Collector until somebody repairs it: no offer stays APPLYING meanwhile, and the newest is tried then", { timeout: RETURN_MS_MAX + 30_000 }, async (hooks) => {
  const stage = await setStage({ sections: { agent: { executable: "./late" } } }, hooks);
  await stage.host.write("late", "#!/bin/sh\nexit 64\n", 0o755);
  const supervisor = stage.host.start();
  await supervisor.logs("Collector executable cannot be described");
  await stage.until("its health", () => stage.agent.health !== null);
  const hash = await stage.send(nopPipeline("new"));
  const { error, is } = await stage.outcome(hash);
  expect([is, error]).toEqual(["failed", expect.stringMatching(/^the configuration was not tried, since the Collector's executable cannot be described: .* \(exit code 64\)/)]);
  await stage.host.write("late", `#!/bin/sh\nexec '${standIn()}' "$@"\n`, 0o755);
  await stage.until("APPLIED", () => stage.agent.status.hash === hash && stage.agent.status.is === "applied" && stage.agent.healthy, RETURN_MS_MAX);
  expect(stage.agent.courseOf(hash)).toEqual(["failed", "applying", "applied"]);
});
