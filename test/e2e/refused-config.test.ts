/** Whatever is wrong with a configuration, the server is told why, and what ran before runs on. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { faulty, nopPipeline, otlpReceiver } from "./support/configs.js";
import { setStage, type Stage } from "./support/stage.js";

/** Refused before the running Collector is touched: what is wrong, the body, and all that the server is told. */
const REFUSED_BEFOREHAND: readonly (readonly [string, string, string])[] = [
  ["is not YAML", "receivers: [unclosed\n", "the unnamed remote configuration file, line 2, column 1: not valid YAML: an opening [ or { has no closing one"],
  ["is a list where sections belong", "- receivers\n", "the unnamed remote configuration file: a configuration is a mapping (key: value), but this is a list"],
  ["is no text", "\u0000\u0001", "the unnamed remote configuration file: a configuration is a mapping (key: value), but this is a single value"],
  [
    "names an unknown component",
    "receivers: {no_such_receiver: }\n",
    `failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):
'receivers' unknown type: "no_such_receiver" for id: "no_such_receiver" (valid values: [hostmetrics nop otlp file_log filelog])`,
  ],
  [
    "refers to an exporter that it does not have",
    nopPipeline("x").replace("exporters: [nop/x]", "exporters: [debug/absent]"),
    'service::pipelines::logs/x: references exporter "debug/absent" which is not configured',
  ],
  [
    "has a key that the component does not know",
    "exporters: {debug: {loudness: 11}}\n",
    `failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):
'exporters' error reading configuration for "debug": decoding failed due to the following error(s):
'debugexporter.Config' has invalid keys: loudness`,
  ],
  [
    "defines a second opamp extension",
    "extensions: {opamp/x: {server: {ws: {endpoint: 'ws://evil.example/v1/opamp'}}}}\nservice: {extensions: [opamp/x]}\n",
    'the unnamed remote configuration file: extensions has a second opamp extension, "opamp/x"; the supervisor connects the Collector by its own opamp extension; remove this one, and name the server in server.endpoint of the supervisor',
  ],
];

test("a configuration that cannot run is refused with its reason, and the process stays", async () => {
  const stage = await running();
  const pid = await stage.collector();
  for (const [what, body, words] of REFUSED_BEFOREHAND) {
    const hash = await stage.send(body);
    expect(await stage.outcome(hash), what).toEqual({ is: "failed", hash, error: words });
    expect(stage.agent.courseOf(hash), what).toEqual(["applying", "failed"]);
    expect(await stage.collector(), what).toBe(pid);
    expect(stage.agent.healthy, what).toBe(true);
  }
  expect(stage.agent.effectiveConfig).toContain("nop/good");
  expect(await stage.host.read("storage/effective.yaml")).toContain("nop/good");
});

test("a configuration that only the start shows to be wrong is told with the Collector's words, and rolled back", async () => {
  const stage = await running({ config_apply_timeout: "1500ms" });
  const port = await heldPort();
  const good = stage.agent.status.hash.slice(0, 12);
  /** What is wrong, the body, how the reason begins, and the line of output that it ends with. */
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      "takes a port that is in use",
      otlpReceiver(port),
      "the Collector exited with code 1 before it was healthy",
      `Error: cannot start pipelines: failed to start "otlp" receiver: listen tcp 127.0.0.1:${port}: bind: address already in use`,
    ],
    [
      "shows its metrics on a port that is in use",
      metricsOn(port),
      "the Collector exited with code 1 before it was healthy",
      `Error: failed to create meter provider: binding address 127.0.0.1:${port} for Prometheus exporter: listen tcp 127.0.0.1:${port}: bind: address already in use`,
    ],
    ["crashes the Collector at once", faulty("crash", { die_after: "0s", die_code: 3 }), "the Collector exited with code 3 before it was healthy", READY],
    ["has the Collector killed at once", faulty("kill", { die_after: "0s", die_signal: "SIGKILL" }), "the Collector was killed by SIGKILL before it was healthy", READY],
    ["makes the Collector hang", faulty("hang", { hang_on_start: true }), "the Collector did not become healthy within 1.5 s (agent.config_apply_timeout)", ""],
    [
      "keeps the extension from connecting",
      faulty("mute", { never_connect: true }),
      "the Collector runs, but its opamp extension did not report health within 1.5 s (agent.config_apply_timeout); see agent.log in the storage directory",
      "",
    ],
  ];
  for (const [what, body, begin, end] of cases) {
    const hash = await stage.send(body);
    const { error, is } = await stage.outcome(hash);
    expect(is, what).toBe("failed");
    expect(stage.agent.courseOf(hash), what).toEqual(["applying", "failed"]);
    const instead = `${begin}; configuration ${good}, which worked before, runs instead`;
    if (end === "") expect(error, what).toBe(instead);
    else {
      expect(error.split("\nCollector log tail:\n")[0], what).toBe(instead);
      expect(lastMessage(error), what).toBe(end);
    }
    await stage.until("the good one again", () => stage.agent.healthy && stage.agent.effectiveConfig.includes("nop/good"));
    expect(await stage.host.read("storage/effective.yaml"), what).toContain("nop/good");
    await stage.collector();
  }
});

test("a redirected opamp extension stays with the supervisor", async () => {
  const stage = await running();
  await stage.apply(`${nopPipeline("thief")}extensions: {opamp: {server: {ws: {endpoint: "ws://evil.example/v1/opamp"}}}}\n`);
  const effective = await stage.host.read("storage/effective.yaml");
  expect(effective).not.toContain("evil.example");
  expect(effective).toContain("endpoint: ws://127.0.0.1:${env:OPAMPSUPERVISOR_EXTENSION_PORT}/v1/opamp");
  expect(stage.agent.effectiveConfig).toContain("nop/thief");
  expect(stage.agent.effectiveConfig).not.toContain("evil.example");
});

const READY = "Everything is ready. Begin running and processing data.";

async function running(agent: object = {}): Promise<Stage> {
  const stage = await setStage({ sections: { agent } });
  await stage.up();
  await stage.apply(nopPipeline("good"));
  return stage;
}

async function heldPort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await once(holder, "listening");
  return (holder.address() as AddressInfo).port;
}

function metricsOn(port: number): string {
  return `${nopPipeline("metrics")}  telemetry: {metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}}}}}]}}\n`;
}

/** The last line, or its message where it is a log line. */
function lastMessage(text: string): string {
  const line = text.split("\n").at(-1) ?? "";
  return line.startsWith("{") ? (JSON.parse(line) as { msg: string }).msg : line;
}
