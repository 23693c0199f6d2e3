/** An executable that can be run but not supervised: the supervisor lives, says why, and how to mend it. */
import { expect, test } from "vitest";
import { standIn } from "./support/host.js";
import { setStage } from "./support/stage.js";

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
