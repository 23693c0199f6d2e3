/**
 * What `npm pack` makes is enough: installed into an empty prefix, offline and without any other package, it runs a
 * Collector.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "./support/opamp-server.js";
import { stageBuild, type Staged } from "./support/staged-build.js";

const run = promisify(execFile);

let staged: Staged;
let prefix: string;
let packed: readonly string[];

beforeAll(async () => {
  staged = await stageBuild({ builds: false });
  prefix = join(staged.directory, "prefix");
  const env = { ...process.env, npm_config_offline: "true", npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" };
  const options = { cwd: staged.directory, env };
  const { stdout } = await run("npm", ["pack", "--json", "--silent"], options);
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  await run("npm", ["install", "--silent", "--global", "--prefix", prefix, `./${tarball.filename}`], options);
});
afterAll(() => staged.remove());

test("the package holds the bundle and what people read, and nothing else", () => {
  expect(packed.filter((path) => !path.startsWith("dist/chunks/"))).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "bin/opampsupervisor.js",
    "dist/compose-worker.js",
    "dist/main.js",
    "dist/THIRD-PARTY-LICENSES.txt",
    "examples/supervisor.yaml",
    "package.json",
  ]);
  expect(packed.filter((path) => path.startsWith("dist/chunks/")).length).toBeGreaterThan(0);
});

test("no other package is installed with it", async () => {
  expect(await readdir(join(prefix, "lib/node_modules"))).toEqual(["opampsupervisor"]);
  expect(await readdir(join(prefix, "lib/node_modules/opampsupervisor"))).not.toContain("node_modules");
});

test("opampsupervisor --version", async () => {
  const { version } = JSON.parse(await readFile(join(staged.directory, "package.json"), "utf8")) as { version: string };
  expect(await run(join(prefix, "bin/opampsupervisor"), ["--version"])).toMatchObject({ stdout: `opampsupervisor ${version}\n`, stderr: "" });
});

test("it runs a Collector, and a configuration that is so large that a worker composes it", async () => {
  const server = await startTestServer();
  const host = join(staged.directory, "host");
  await mkdir(host);
  await writeFile(join(host, "quiet.yaml"), "service: {telemetry: {metrics: {level: none}}}\n");
  await writeFile(
    join(host, "supervisor.yaml"),
    `server: {endpoint: "${server.webSocketUrl}"}
capabilities: {accepts_remote_config: true}
agent: {executable: ${join(staged.directory, "examples/collector/standin-collector")}, config_files: [quiet.yaml]}
storage: {directory: ./storage}
telemetry: {logs: {output_paths: [./supervisor.log]}}
`,
  );
  const child = spawn(join(prefix, "bin/opampsupervisor"), ["--config=supervisor.yaml"], { cwd: host, stdio: "inherit" });
  const ended = once(child, "exit");
  try {
    await server.until(() => server.agent().health?.healthy, "the Collector to be healthy");
    const { uid } = server.agent();
    const comment = `# ${"long ".repeat(20_000)}\n`;
    const files = [{ name: "", body: `${comment}receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}\n`, contentType: "text/yaml", role: "" }];
    const { offer } = await server.fleet.saveConfig(uid, files);
    await server.until(() => offer?.statuses.at(-1)?.status === "APPLIED", "the configuration to be applied");
  } finally {
    child.kill("SIGTERM");
    await ended;
    await server.close();
  }
  expect(child.exitCode).toBe(0);
});
