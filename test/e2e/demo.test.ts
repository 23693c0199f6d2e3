/** The demo as a person runs it, on free ports and with the stand-in: it tells what happens, and leaves nothing behind. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { findSetpriv } from "../../src/collector/find-setpriv.js";
import { processesOf } from "../interop/support/processes.js";
import { stageBuild, type Staged } from "../support/staged-build.js";

const WAIT_MS = 15_000;

let staged: Staged;
let directory: string;
let demo: Demo;

beforeAll(async () => {
  staged = await stageBuild();
});
afterAll(() => staged.remove());
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "demo-")));
});
afterEach(async () => {
  demo.child.kill("SIGKILL");
  for (const pid of await processesOf(directory)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

test("shows the agent up, takes what is pasted into the page, and stops with everything by one signal", async () => {
  demo = start(["--ports", "auto"]);
  await demo.says(/Collector is up: otelcol-standin 0\.149\.0/);
  expect(demo.output()).toContain("Collector  a STAND-IN");
  expect(demo.output()).toContain("demo-data/supervisor.yaml");

  const pageUrl = /web page {3}(http:\S+)/.exec(demo.output())?.[1] ?? "";
  expect(await (await fetch(pageUrl)).text()).toContain("<title>");
  await save(pageUrl, pasted(demo.output()));
  await demo.says(/configuration [0-9a-f]{8} APPLIED after \d+ ms/);
  await save(pageUrl, "receivers: [nosuch]\n");
  await demo.says(/configuration [0-9a-f]{8} FAILED after \d+ ms: .+/);
  expect(await readFile(join(directory, "demo-data/storage/effective.yaml"), "utf8")).toContain("hostmetrics");
  const metricsUrl = /its own metrics at (http:\S+?)\. /.exec(demo.output())?.[1] ?? "";
  expect(await (await fetch(metricsUrl)).text()).toContain("target_info{");

  demo.child.kill("SIGINT");
  expect(await demo.ended).toEqual({ code: 0, signal: null });
  expect(demo.output()).toMatch(/Stopped\.\n$/);
  expect(await processesOf(directory)).toEqual([]);
});

test("a second signal ends a Collector that does not want to stop", async () => {
  demo = start(["--ports", "auto"]);
  await demo.says(/Collector is up/);
  const pageUrl = /web page {3}(http:\S+)/.exec(demo.output())?.[1] ?? "";
  await save(pageUrl, "extensions: {standin_faults: {ignore_sigterm: true}}\nservice: {extensions: [standin_faults]}\n");
  await demo.says(/APPLIED after/);

  demo.child.kill("SIGINT");
  await demo.says(/Once more ends them at once/);
  // Again and again, since a second signal right behind the first counts as the same one.
  const again = setInterval(() => demo.child.kill("SIGINT"), 50);
  expect(await demo.ended).toEqual({ code: 130, signal: null });
  clearInterval(again);
  await vi.waitFor(async () => expect(await processesOf(directory)).toEqual([]), WAIT_MS);
});

test.skipIf((await findSetpriv(process.env["PATH"])) === null)("a demo that is killed outright takes the supervisor and the Collector along", async () => {
  demo = start(["--ports", "auto"]);
  await demo.says(/Collector is up/);
  expect(await processesOf(directory)).toHaveLength(3);
  demo.child.kill("SIGKILL");
  await vi.waitFor(async () => expect(await processesOf(directory)).toEqual([]), WAIT_MS);
});

test("a port that is taken is named, with the way out", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  demo = start(["--ports", `0,${port},0`]);
  expect(await demo.ended).toEqual({ code: 1, signal: null });
  expect(demo.output()).toBe(
    `demo: cannot listen on port ${port} (the web page): stop what uses it, perhaps another demo, or take free ports: npm run demo -- --ports auto\n`,
  );
  other.close();
});

test("a Collector that cannot be supervised is not used, and the reason is told", async () => {
  demo = start(["--ports", "auto"], { OTELCOL: "/nonexistent/otelcol" });
  await demo.says(/Collector is up: otelcol-standin/);
  expect(demo.output()).toMatch(/^not used: {2}.*\/nonexistent\/otelcol/m);
});

test("wrong usage is exit code 2", async () => {
  demo = start(["--ports", "4320"]);
  expect(await demo.ended).toEqual({ code: 2, signal: null });
  expect(demo.output()).toMatch(/^demo: --ports must be "auto" or three ports such as 14320,14321,14318, got 4320\n/);
});

interface Demo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output(): string;
  says(pattern: RegExp): Promise<void>;
}

/** Without a terminal, in a directory of its own, and with no Collector on the PATH. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Demo {
  let output = "";
  const child = spawn(process.execPath, [join(staged.directory, "dist/examples/demo.js"), ...args], {
    cwd: directory,
    env: { ...process.env, OTELCOL: "", PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, npm_lifecycle_event: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return {
    child,
    ended: once(child, "close").then(() => ({ code: child.exitCode, signal: child.signalCode })),
    output: () => output,
    says: (pattern) => vi.waitFor(() => expect(output).toMatch(pattern), { timeout: WAIT_MS, interval: 20 }),
  };
}

/** The YAML that the demo tells its reader to paste. */
function pasted(output: string): string {
  return /\n\n(receivers:\n[^]+?)\n\n/.exec(output)?.[1] ?? "";
}

async function save(pageUrl: string, body: string): Promise<void> {
  const { agents } = (await (await fetch(`${pageUrl}api/agents`)).json()) as { agents: { uid: string }[] };
  const url = `${pageUrl}api/agents/${agents[0]?.uid ?? ""}/config`;
  const answer = await fetch(url, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ files: { "": body } }) });
  expect(answer.status).toBe(200);
}
