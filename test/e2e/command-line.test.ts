/** How the program is called, and what its exit codes say. */
import { expect, test } from "vitest";
import { VERSION } from "../../src/version.js";
import { newHost, setStage } from "./support/stage.js";

const MISTAKE = "opampsupervisor: supervisor.yaml has 1 problem:\n  supervisor.yaml:3:3 server.heders: unknown key, did you mean \"headers\"?\n";

test("--help and -h tell the usage", async () => {
  const host = await newHost();
  const [long, short] = [host.start({ args: ["--help"] }), host.start({ args: ["-h"] })];
  expect(await long.ended).toEqual({ code: 0, signal: null });
  await short.ended;
  expect(short.stdout).toBe(long.stdout);
  expect(long.stderr).toBe("");
  expect(long.stdout).toMatchInlineSnapshot(`
    "usage: opampsupervisor --config=supervisor.yaml

    Runs an OpenTelemetry Collector under the control of an OpAMP server.

      --config=SOURCE          the settings: a path, file:PATH, or env:NAME for YAML in a variable
      --feature-gates=LIST     comma separated: ID or +ID switches on, -ID off; may repeat
                               (known: opampsupervisor.Extensions, which has no effect yet)
      --version                print the version
      -h, --help               print this

    SIGTERM or SIGINT stops the Collector, then the supervisor; a second one ends both at once.
    Exit codes: 0 stopped, 1 cannot start, 2 wrong usage, 70 a bug.
    "
  `);
});

test("--version tells the version of the package", async () => {
  const supervisor = (await newHost()).start({ args: ["--version"] });
  expect(await supervisor.ended).toEqual({ code: 0, signal: null });
  expect(supervisor.stdout).toBe(`opampsupervisor ${VERSION}\n`);
});

test("wrong usage is exit code 2, with the usage behind the mistake", async () => {
  const host = await newHost();
  for (const [argument, words] of [
    ["--cfg=x", "flag provided but not defined: -cfg, did you mean --config?"],
    ["--config", "flag needs an argument: -config"],
    ["--set=a=b", "flag provided but not defined: -set; settings are changed in the file, e.g. with ${env:NAME}"],
    ["--feature-gates=nosuch", 'invalid value "nosuch" for flag -feature-gates: no such feature gate "nosuch"; known: opampsupervisor.Extensions'],
  ] as const) {
    const supervisor = host.start({ args: [argument] });
    expect(await supervisor.ended, argument).toEqual({ code: 2, signal: null });
    expect(supervisor.stderr.split("\n\n")[0], argument).toBe(words);
    expect(supervisor.stderr).toContain("usage: opampsupervisor --config=supervisor.yaml");
    expect(supervisor.stdout).toBe("");
  }
});

test.each([[["--config=supervisor.yaml"]], [["--config", "supervisor.yaml"]], [["-config", "supervisor.yaml"]], [["-config=supervisor.yaml"]], [["--config=file:supervisor.yaml"]]])(
  "%s names the settings",
  async (args) => {
    const host = await newHost();
    await host.write("supervisor.yaml", "server:\n  endpoint: ws://127.0.0.1:1\n  heders: {}\nagent:\n  executable: ./otelcol\n");
    const supervisor = host.start({ args });
    expect(await supervisor.ended).toEqual({ code: 1, signal: null });
    expect(supervisor.stderr).toBe(MISTAKE);
  },
);

test("env:NAME holds the settings themselves, and feature gates of Go are accepted", async () => {
  const stage = await setStage();
  const text = await stage.host.read("supervisor.yaml");
  await stage.host.write("supervisor.yaml", "this: is not read\n");
  const args = ["--feature-gates=+opampsupervisor.Extensions", "--config=env:SUPERVISOR_YAML"];
  const supervisor = await stage.up({ args, env: { SUPERVISOR_YAML: text } });
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});
