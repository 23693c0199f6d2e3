/** What a file of the Go supervisor may look like, and what it means there, it means here. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSettings } from "../../src/config/settings-load.js";
import type { LoadedSettings } from "../../src/config/settings-load.js";

const cwd = join(import.meta.dirname, "../fixtures/settings");
const required = "server::endpoint: ws://localhost:4320/v1/opamp\nagent::executable: ./collector.sh\n";

function load(yaml: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedSettings> {
  return loadSettings("env:YAML", { ...env, YAML: yaml }, cwd);
}

async function withLines(lines: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedSettings> {
  return load(required + lines, env);
}

describe("keys", () => {
  test(":: nests, also mixed with the nested form and in depth", async () => {
    const { settings } = await load(
      "agent:\n  executable: ./collector.sh\nagent::description::identifying_attributes: {a: b}\nserver::endpoint: ws://h\nagent::passthrough_logs: true\n",
    );
    expect(settings.agent.description.identifyingAttributes).toEqual({ a: "b" });
    expect(settings.agent.passthroughLogs).toBe(true);
  });

  test("a null section or value counts as absent", async () => {
    const { settings, warnings } = await withLines(
      "telemetry:\nhealthcheck: ~\ncapabilities: null\nstorage:\n  directory:\nserver::tls:\nextensions:\n",
    );
    expect(settings.telemetry.logs.level).toBe("info");
    expect(settings.capabilities.reportsHealth).toBe(true);
    expect(settings.storage.directory).toBe("/var/lib/otelcol/supervisor");
    expect(warnings).toEqual([]);
  });

  test("foreign keys without content ask for nothing", async () => {
    const { warnings } = await withLines('server::auth: ""\nagent::fallback_configs: []\ntelemetry::metrics::readers: []\n');
    expect(warnings).toEqual([]);
  });

  test("anchors and merge keys", async () => {
    const { settings } = await withLines(
      "agent::env: &e {A: one, B: two}\nagent::description::identifying_attributes:\n  <<: *e\n  B: own\n",
    );
    expect(settings.agent.description.identifyingAttributes).toEqual({ A: "one", B: "own" });
  });

  test("only the first document is read, with a warning", async () => {
    const { settings, warnings } = await withLines("---\nserver: 5\n");
    expect(settings.server.endpoint).toBe("ws://localhost:4320/v1/opamp");
    expect(warnings).toEqual(["env:YAML:1:1: only the first YAML document (up to ---) is read, the rest is ignored"]);
  });

  test("a byte order mark and Windows line ends do no harm", async () => {
    const { settings } = await load(`\ufeff${required.replaceAll("\n", "\r\n")}`);
    expect(settings.server.endpoint).toBe("ws://localhost:4320/v1/opamp");
  });
});

describe("lists and headers", () => {
  test.each([
    ["agent::args: a,b", ["a", "b"]],
    ['agent::args: ""', []],
    ["agent::args: [a, 'b,c']", ["a", "b,c"]],
    ["agent::args: ${env:LIST}", ["x", "y"]],
    ["agent::args: ['${env:NUMBER}']", ["0123"]],
    ["agent::args: ${env:UNSET_LIST}", []],
  ])("%s", async (line, expected) => {
    const { settings } = await withLines(`${line}\n`, { LIST: "[x, y]", NUMBER: "0123" });
    expect(settings.agent.args).toEqual(expected);
  });

  test("a header is split at commas, a list is not, names stay as written", async () => {
    const { settings } = await withLines(
      'server::headers:\n  x-Auth: "a,b"\n  One: token\n  Many: ["a,b", c]\n  FromEnv: Bearer ${env:TOKEN}\n  Number: ${env:NUMBER}\n  Nothing:\n',
      { TOKEN: "t0k", NUMBER: "0123" },
    );
    expect(settings.server.headers).toEqual({
      "x-Auth": ["a", "b"],
      One: ["token"],
      Many: ["a,b", "c"],
      FromEnv: ["Bearer t0k"],
      Number: ["0123"],
      Nothing: [],
    });
  });
});

describe("numbers, truth values and texts", () => {
  test.each([
    ["8090", 8090],
    ["017600", 8064],
    ["0x1F90", 8080],
    ["8_090", 8090],
    ["${env:PORT}", 8080],
    ["${env:UNSET}", 0],
  ])("opamp_server_port: %s", async (written, expected) => {
    const { settings } = await withLines(`agent::opamp_server_port: ${written}\n`, { PORT: "8080" });
    expect(settings.agent.opampServerPort).toBe(expected);
  });

  test("a variable is a truth value for a truth value and a text for a text", async () => {
    const { settings } = await withLines("agent::passthrough_logs: ${env:V}\nagent::env: {A: '${env:V}', B: '${env:N}'}\n", {
      V: "true",
      N: "0123",
    });
    expect(settings.agent.passthroughLogs).toBe(true);
    expect(settings.agent.env).toEqual({ A: "true", B: "0123" });
  });

  test("an environment of the Collector may hold empty values", async () => {
    const { settings } = await withLines('agent::env: {A: "", B: , __proto__: x}\n');
    expect(Object.entries(settings.agent.env)).toEqual([["A", ""], ["B", ""], ["__proto__", "x"]]);
  });

  test.each([
    ["1m30s", 90_000],
    ["${env:D}", 7_000],
    ["100us", 1],
  ])("config_apply_timeout: %s", async (written, expected) => {
    const { settings } = await withLines(`agent::config_apply_timeout: ${written}\n`, { D: "7s" });
    expect(settings.agent.configApplyTimeoutMs).toBe(expected);
  });

  test("a bare number counts as nanoseconds and is pointed out", async () => {
    const { settings, warnings } = await withLines("agent::config_apply_timeout: 3000000000\nagent::bootstrap_timeout: 3\n");
    expect(settings.agent.configApplyTimeoutMs).toBe(3_000);
    expect(settings.agent.bootstrapTimeoutMs).toBe(1);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toBe("env:YAML:4:27 agent.bootstrap_timeout: a bare number counts as nanoseconds, as in Go; write a unit, e.g. 3s");
  });

  test.each([
    ["0195c6f0-7a3b-7cde-8f01-23456789abcd"],
    ["0195C6F0-7A3B-7CDE-8F01-23456789ABCD"],
    ["'{0195c6f0-7a3b-7cde-8f01-23456789abcd}'"],
    ["urn:uuid:0195c6f0-7a3b-7cde-8f01-23456789abcd"],
    ["0195c6f07a3b7cde8f0123456789abcd"],
  ])("instance_id: %s", async (written) => {
    const { settings } = await withLines(`agent::instance_id: ${written}\n`);
    expect(settings.agent.instanceId).toBe("0195c6f0-7a3b-7cde-8f01-23456789abcd");
  });
});

describe("addresses and paths", () => {
  test.each([
    ["http://:4320/v1/opamp", "http://localhost:4320/v1/opamp"],
    ["WSS://Host/v1/opamp", "WSS://Host/v1/opamp"],
    ["https://user:pw@h:1/x?y=z", "https://user:pw@h:1/x?y=z"],
    ["ws://[::1]:4320/v1/opamp", "ws://[::1]:4320/v1/opamp"],
  ])("endpoint %s", async (written, expected) => {
    const { settings } = await load(`server::endpoint: ${written}\nagent::executable: ./collector.sh\n`);
    expect(settings.server.endpoint).toBe(expected);
  });

  test("config_files: paths become absolute, placeholders and URIs stay", async () => {
    const { settings } = await withLines("agent::config_files: [$OWN_TELEMETRY_CONFIG, a/b.yaml, /c.yaml, 'file:d.yaml', 'env:E', $REMOTE_CONFIG]\n");
    expect(settings.agent.configFiles).toEqual([
      "$OWN_TELEMETRY_CONFIG",
      join(cwd, "a/b.yaml"),
      "/c.yaml",
      "file:d.yaml",
      "env:E",
      "$REMOTE_CONFIG",
    ]);
  });

  test("certificate files are not opened for ws, as in Go", async () => {
    const { settings } = await withLines("server::tls: {ca_file: missing.crt}\n");
    expect(settings.server.tls.caFile).toBe(join(cwd, "missing.crt"));
  });

  test("log outputs", async () => {
    const { settings } = await withLines(
      "telemetry::logs: {output_paths: 'stdout,a.log', error_output_paths: ['file:///var/log/e.log'], encoding: ' Console '}\n",
    );
    expect(settings.telemetry.logs).toEqual({
      level: "info",
      outputPaths: ["stdout", join(cwd, "a.log")],
      errorOutputPaths: ["/var/log/e.log"],
      encoding: "console",
    });
  });

  test.each([
    ["localhost:13134", { host: "localhost", port: 13134 }],
    [":13134", { host: "", port: 13134 }],
    ["'[::1]:13134'", { host: "::1", port: 13134 }],
  ])("healthcheck %s", async (written, expected) => {
    const { settings, warnings } = await withLines(`healthcheck::endpoint: ${written}\n`);
    expect(settings.healthcheck).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  test.each(["localhost", "localhost:0", "localhost:http", "/run/x.sock", "::1"])("healthcheck %s is off, and says so", async (written) => {
    const { settings, warnings } = await withLines(`healthcheck::endpoint: "${written}"\n`);
    expect(settings.healthcheck).toBeNull();
    expect(warnings).toEqual([
      `env:YAML:3:24 healthcheck.endpoint: no port in "${written}", so the health check is off; expected e.g. localhost:13134`,
    ]);
  });
});

describe("log level", () => {
  test.each([
    ["debug", "debug"],
    ["INFO", "info"],
    ["Warning", "warn"],
    ["error", "error"],
    ["dpanic", "error"],
    ["fatal", "error"],
    ['""', "info"],
    ["0", "info"],
    ["-1", "debug"],
    ["1", "warn"],
    ["2", "error"],
    ["5", "error"],
  ])("%s", async (written, expected) => {
    const { settings } = await withLines(`telemetry::logs::level: ${written}\n`);
    expect(settings.telemetry.logs.level).toBe(expected);
  });
});
