/** Secrets of the host reach the Collector and nobody else: not the wire to the server, not the supervisor's log. */
import { toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AgentToServerSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { faulty, nopPipeline } from "./support/configs.js";
import { setStage } from "./support/stage.js";

const FROM_ENVIRONMENT = "s3cr3t-of-the-environment";
const FROM_FILE = "s3cr3t-of-a-file";
const KNOWN_KEY = "s3cr3t-of-a-known-key";
const HEADER = "s3cr3t-of-a-header";

test("values of ${env:}, ${file:} and of secret keys are not in what is reported, refused or logged", async () => {
  const stage = await setStage({
    sections: {
      server: { headers: { Authorization: `Bearer ${HEADER}` } },
      telemetry: { logs: { level: "debug" } },
      agent: { passthrough_logs: true },
    },
  });
  await stage.host.write("token", FROM_FILE);
  const supervisor = await stage.up({ env: { TOKEN: FROM_ENVIRONMENT } });
  await stage.apply(secretive(stage.host.path("token")));
  await stage.until("the effective configuration", () => stage.agent.effectiveConfig.includes("otlphttp/secretive"));
  expect(stage.server.requests[0]?.headers["authorization"]).toBe(`Bearer ${HEADER}`);
  expect(await stage.host.read("storage/effective.yaml")).toContain(KNOWN_KEY);

  // A refusal and a crash quote the Collector's words.
  await stage.outcome(await stage.send(secretive(stage.host.path("token")).replace("retry_on_failure:", "rety_on_failure:")));
  process.kill(await stage.collector(), "SIGKILL");
  await supervisor.logs("Collector ended unasked");
  await stage.until("health again", () => stage.agent.healthy);
  await supervisor.end();

  const wire = stage.agent.messages.map((message) => Buffer.from(toBinary(AgentToServerSchema, message)).toString("latin1")).join("\n");
  const log = supervisor.stdout + supervisor.stderr;
  expect(wire).toContain("otlphttp/secretive");
  expect(log).toContain("Collector ended unasked");
  for (const secret of [FROM_ENVIRONMENT, FROM_FILE, KNOWN_KEY, HEADER]) {
    expect(wire.split(secret), `${secret} on the wire`).toHaveLength(1);
    expect(log.split(secret), `${secret} in the log`).toHaveLength(1);
  }
});

test("what a Collector says before its end reaches the server without the secrets in it", async () => {
  const stage = await setStage({ sections: { agent: { collector_crash_log_snippet_kib: 8 } } });
  await stage.host.write("token", FROM_FILE);
  const supervisor = await stage.up({ env: { TOKEN: FROM_ENVIRONMENT } });
  const print = `cannot log in with \${env:TOKEN} nor with \${file:${stage.host.path("token")}}, giving up`;
  const hash = await stage.send(faulty("talkative", { print, die_after: "0s" }));
  const { error, is } = await stage.outcome(hash);
  expect(is).toBe("failed");
  expect(error).toMatch(/\nCollector log tail:\n[^]*cannot log in with .* nor with .*, giving up/);
  // It did say them.
  const said = await stage.host.read("storage/agent.log");
  await supervisor.end();
  const wire = stage.agent.messages.map((message) => Buffer.from(toBinary(AgentToServerSchema, message)).toString("latin1")).join("\n");
  const kept = await Promise.all(["history.jsonl", "opampsupervisor_state.json", "persistent_state.yaml"].map((name) => stage.host.read(`storage/${name}`)));
  for (const secret of [FROM_ENVIRONMENT, FROM_FILE]) {
    expect(said, "in its own log").toContain(secret);
    expect(wire.split(secret), `${secret} on the wire`).toHaveLength(1);
    expect((supervisor.stdout + supervisor.stderr).split(secret), `${secret} in the log`).toHaveLength(1);
    expect(kept.join("\n").split(secret), `${secret} in what is kept`).toHaveLength(1);
  }
});

function secretive(tokenFile: string): string {
  return nopPipeline("secretive").replace(
    "exporters:\n",
    `exporters:
  otlphttp/secretive:
    endpoint: https://user:\${env:TOKEN}@127.0.0.1:1
    retry_on_failure: {enabled: false}
    headers:
      x-plain: "\${file:${tokenFile}}"
      password: ${KNOWN_KEY}
`,
  ).replace("exporters: [nop/secretive]", "exporters: [nop/secretive, otlphttp/secretive]");
}
