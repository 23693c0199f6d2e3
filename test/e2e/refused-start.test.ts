/** A supervisor that cannot start ends with exit code 1 and one message that names the cause and the remedy. */
import { once } from "node:events";
import { chmod, mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Host } from "./support/host.js";
import { newHost, setStage } from "./support/stage.js";
import type { StartOptions } from "./support/supervisor-process.js";

const NOWHERE = "ws://127.0.0.1:1/v1/opamp";
const NOBODY = 65_534;

/** What it says, with DIR for the directory of the host. */
async function refusal(host: Host, options?: StartOptions): Promise<string> {
  const supervisor = host.start(options);
  expect(await supervisor.ended).toEqual({ code: 1, signal: null });
  return supervisor.stderr.replaceAll(host.directory, "DIR");
}

/** Root may read and write everything, so that somebody else has to try. */
async function asStranger(host: Host): Promise<StartOptions> {
  if (process.getuid?.() !== 0) return {};
  await chmod(host.directory, 0o777);
  return { uid: NOBODY };
}

test("no --config", async () => {
  const host = await newHost();
  expect(await refusal(host, { args: [] })).toMatchInlineSnapshot(`
    "opampsupervisor: path to config file cannot be empty; give it with --config=supervisor.yaml
    "
  `);
});

test("a --config that does not exist", async () => {
  const host = await newHost();
  expect(await refusal(host)).toMatchInlineSnapshot(`
    "opampsupervisor: unable to read the file supervisor.yaml: it does not exist; check the path (looked for DIR/supervisor.yaml)
    "
  `);
});

test("a --config that may not be read", async () => {
  const host = await newHost();
  const stranger = await asStranger(host);
  await host.settings(NOWHERE);
  await chmod(host.path("supervisor.yaml"), 0o000);
  expect(await refusal(host, stranger)).toMatchInlineSnapshot(`
    "opampsupervisor: unable to read the file supervisor.yaml: permission denied; the user of the supervisor must be able to read it (looked for DIR/supervisor.yaml)
    "
  `);
});

test("a --config that is a directory", async () => {
  const host = await newHost();
  expect(await refusal(host, { args: ["--config=."] })).toMatchInlineSnapshot(`
    "opampsupervisor: unable to read the file .: it is a directory; name the file in it (looked for DIR)
    "
  `);
});

test("an env: source that is not set", async () => {
  const host = await newHost();
  expect(await refusal(host, { args: ["--config=env:NOT_SET"] })).toMatchInlineSnapshot(`
    "opampsupervisor: env:NOT_SET has 3 problems:
      env:NOT_SET:1:1: the environment variable NOT_SET is not set or empty; expected the YAML of the settings in it
      env:NOT_SET:1:1 server.endpoint: server::endpoint must be specified; expected e.g. wss://opamp.example.com:4320/v1/opamp
      env:NOT_SET:1:1 agent.executable: agent::executable must be specified; expected the path of a Collector, e.g. /usr/bin/otelcol-contrib
    "
  `);
});

test("settings with several mistakes, all told at once", async () => {
  const host = await newHost();
  await host.write("supervisor.yaml", "server:\n  endpoint: gopher://host\n  heders: {}\nagent:\n  executable: ./otelcol\n  config_apply_timeout: 5 parsecs\n  args: [--set, a=b]\n");
  expect(await refusal(host)).toMatchInlineSnapshot(`
    "opampsupervisor: supervisor.yaml has 4 problems:
      supervisor.yaml:2:13 server.endpoint: invalid scheme "gopher" for server::endpoint, must be one of "http", "https", "ws", or "wss"; if that is a host, write ws:// or wss:// in front
      supervisor.yaml:3:3 server.heders: unknown key, did you mean "headers"?
      supervisor.yaml:6:25 agent.config_apply_timeout: "5 parsecs" is a duration with an unknown unit; expected a duration such as 30s, 1m30s or 500ms
      supervisor.yaml:7:10 agent.args[0]: --set would override the configuration that the supervisor composes; put the value into a file and list that in agent.config_files
    "
  `);
});

test.each([
  ["missing", "./nosuch", "could not stat agent::executable path: DIR/nosuch: no such file; correct the path, or install the Collector there"],
  [
    "written with a dollar sign",
    "$OTEL_COLLECTOR_BINARY",
    "could not stat agent::executable path: DIR/$OTEL_COLLECTOR_BINARY: no such file; $OTEL_COLLECTOR_BINARY is not expanded, write ${env:OTEL_COLLECTOR_BINARY}",
  ],
  ["a directory", ".", "DIR is a directory; name the Collector's binary in it"],
  ["not executable", "./quiet.yaml", "DIR/quiet.yaml is not executable for this user; make it so with chmod +x"],
])("an executable that is %s", async (_what, executable, words) => {
  const host = await newHost();
  await host.settings(NOWHERE, { agent: { executable } });
  expect(await refusal(host)).toBe(`opampsupervisor: supervisor.yaml has 1 problem:\n  supervisor.yaml:14:19 agent.executable: ${words}\n`);
});

test("a local port that is in use, and the way out", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const host = await newHost();
  await host.settings(NOWHERE, { agent: { opamp_server_port: port } });
  expect((await refusal(host)).replaceAll(String(port), "PORT")).toMatchInlineSnapshot(`
    "opampsupervisor: port PORT on 127.0.0.1 is in use; choose another one in agent.opamp_server_port, or 0 for any free one
    "
  `);
});

test("a health check port that is in use", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const host = await newHost();
  await host.settings(NOWHERE, { healthcheck: { endpoint: `127.0.0.1:${port}` } });
  expect((await refusal(host)).replaceAll(String(port), "PORT")).toMatchInlineSnapshot(`
    "opampsupervisor: failed to listen on port PORT of 127.0.0.1 for the health check: another process uses it; choose another port in healthcheck.endpoint, or stop that process
    "
  `);
});

test("a storage directory that may not be written", async () => {
  const host = await newHost();
  const stranger = await asStranger(host);
  await host.settings(NOWHERE);
  await mkdir(host.storage);
  await chmod(host.storage, 0o555);
  const said = (await refusal(host, stranger)).replace(/uid \d+/g, "uid N").replace(/[0-9a-f]{12}\.tmp/, "X.tmp");
  expect(said).toBe(
    "opampsupervisor: storage.directory DIR/storage (mode 0555, owner uid N) is not usable for uid N: EACCES: permission denied, open 'DIR/storage/.supervisor.lock.X.tmp'; give it to the user that runs the supervisor (chown) or set storage.directory to another place\n",
  );
});

test("a storage directory that cannot be made", async () => {
  const host = await newHost();
  await host.settings(NOWHERE, { storage: { directory: "./quiet.yaml/storage" } });
  expect(await refusal(host)).toMatchInlineSnapshot(`
    "opampsupervisor: cannot use the storage directory in DIR/quiet.yaml/storage: ENOTDIR: not a directory, mkdir 'DIR/quiet.yaml/storage'; a file stands where a directory belongs: move it away or set storage.directory to another place
    "
  `);
});

test("a storage directory that another supervisor uses, which is left in peace", async () => {
  const { host } = await setStage();
  const first = host.start();
  await first.logs("Collector is healthy");
  const collectors = await host.collectors();
  expect((await refusal(host)).replaceAll(String(first.pid), "PID")).toMatchInlineSnapshot(`
    "opampsupervisor: another supervisor (pid PID) uses storage.directory DIR/storage: stop it, or give this one a storage.directory of its own
    "
  `);
  expect(first.isRunning).toBe(true);
  expect(await host.collectors()).toEqual(collectors);
});

test("a log file that cannot be opened", async () => {
  const host = await newHost();
  await host.settings(NOWHERE, { telemetry: { logs: { output_paths: ["./nosuch/supervisor.log"] } } });
  expect(await refusal(host)).toMatchInlineSnapshot(`
    "opampsupervisor: cannot open the log file DIR/nosuch/supervisor.log: its directory does not exist; create it or choose another path (telemetry.logs.output_paths)
    "
  `);
});

test("a CA file that is not there", async () => {
  const host = await newHost();
  await host.settings("wss://127.0.0.1:1/v1/opamp", { server: { tls: { ca_file: "ca.pem" } } });
  expect(await refusal(host)).toMatchInlineSnapshot(`
    "opampsupervisor: supervisor.yaml has 1 problem:
      supervisor.yaml:5:18 server.tls.ca_file: "ca.pem" does not exist; expected a PEM file (looked for DIR/ca.pem)
    "
  `);
});
