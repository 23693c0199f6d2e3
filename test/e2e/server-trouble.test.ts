/** Whatever the server does, the Collector runs on; it is one line in the log when the server goes, and one when it returns. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { BadMode } from "../../examples/server/bad-mode.js";
import { startTestServer } from "../support/opamp-server.js";
import { nopPipeline } from "./support/configs.js";
import { newHost, setStage } from "./support/stage.js";

const AWAY = "Server is away, trying again until it returns";
const OVERSIZED_BYTES = 65 * 1024 * 1024;

test("a server that is down is one line when it goes and one when it returns", async () => {
  const stage = await setStage({ sections: { telemetry: { logs: { level: "debug" } } } });
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  const pid = await stage.collector();
  const { port } = new URL(stage.server.webSocketUrl);
  await stage.server.close();
  await supervisor.logs("Server is still away");

  const back = await startTestServer({ opampPort: Number(port) });
  onTestFinished(() => back.close());
  await supervisor.logs("Server is back");
  expect(supervisor.said(AWAY)).toHaveLength(1);
  expect(supervisor.said("Server is back")).toMatchObject([{ level: "info", server: `127.0.0.1:${port}` }]);
  expect(supervisor.log.filter(({ level }) => level === "warn" || level === "error").map(({ msg }) => msg)).toEqual([AWAY]);
  expect(supervisor.stderr).not.toContain("    at ");
  expect(await stage.collector()).toBe(pid);
});

test("a server that was never there does not keep the Collector from running", async () => {
  const host = await newHost();
  await host.settings("ws://127.0.0.1:1/v1/opamp");
  const supervisor = host.start();
  await supervisor.logs("Collector is healthy");
  const line = await supervisor.logs(AWAY);
  expect(line).toMatchObject({
    level: "warn",
    error: "127.0.0.1:1: connection refused; is the server running, and is server.endpoint right? (connect ECONNREFUSED 127.0.0.1:1)",
  });
  expect(await supervisor.end()).toEqual({ code: 0, signal: null });
});

test("a certificate that nobody signed whom the supervisor trusts is refused, with the way out", async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), "opampsupervisor-certificates-"));
  onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }));
  const stage = await setStage({ server: { dataDirectory } });
  const supervisor = stage.host.start();
  await supervisor.logs("Collector is healthy");
  const line = await supervisor.logs(AWAY);
  expect(line["error"]).toBe(
    `${new URL(stage.server.webSocketUrl).host}: its certificate cannot be verified; name its CA in server.tls.ca_file, or set server.tls.insecure_skip_verify to go without (self-signed certificate in certificate chain)`,
  );
  expect(stage.agent.messages).toEqual([]);
  await supervisor.end();

  await stage.settings({ server: { tls: { ca_file: stage.server.caFile } } });
  const trusting = await stage.up();
  expect(trusting.said(AWAY)).toEqual([]);
});

interface Trouble {
  readonly mode: BadMode;
  /** How often the supervisor is asked for its full state, so that it has to speak. */
  readonly asks: number;
  /** How many answers go wrong until the server behaves again. */
  readonly times: number;
  /** All that the log says of it from then until the next configuration is applied, as `message: reason`. */
  readonly says: readonly string[];
  /** It says so with each of them, and until the server is told to behave there may be more. */
  readonly eachTime?: boolean;
}

const HOST = "HOST";
const MALFORMED = "Malformed message from the server: not a ServerToAgent: illegal tag";
const LOST = (why: string): string => `${AWAY}: ${HOST}: ${why}`;

/** Each answer is a return, so it is these two lines each time. */
const HUNG_UP = [LOST("the server closed the connection (code 1000, hanging up on purpose)"), "Server is back"];

const TROUBLES: readonly (readonly [string, Trouble])[] = [
  ["is silent", { mode: { is: "silence" }, asks: 1, times: 1, says: [] }],
  ["hangs up after each message", { mode: { is: "hang-up" }, asks: 1, times: 2, says: HUNG_UP, eachTime: true }],
  ["cuts the connection at each message", { mode: { is: "drop" }, asks: 1, times: 2, says: [LOST("the connection ended without a Close frame"), "Server is back"] }],
  ["asks for the full state in each reply", { mode: { is: "full-state-storm" }, asks: 1, times: 5, says: ["Server asks for the full state too often, answering once a second"] }],
  ["sends garbage", { mode: { is: "garbage" }, asks: 2, times: 2, says: [MALFORMED, MALFORMED] }],
  ["sends text frames", { mode: { is: "text" }, asks: 1, times: 1, says: ["Malformed message from the server: a text message"] }],
  ["sends a message that is too large", { mode: { is: "oversized", bytes: OVERSIZED_BYTES }, asks: 1, times: 1, says: [LOST("the server sent a message of more than 67108864 bytes, which is discarded"), "Server is back"] }],
  ["attaches the configuration to each reply", { mode: { is: "offer-storm" }, asks: 2, times: 2, says: ["Known status is repeated: the server offered the same again"] }],
];

test.each(TROUBLES)("a server that %s", async (what, { asks, eachTime = false, mode, says, times }) => {
  const stage = await setStage();
  const { server } = stage;
  const supervisor = await stage.up();
  await stage.apply(nopPipeline("good"));
  const pid = await stage.collector();
  const quiet = supervisor.log.length;

  server.modes.set(mode);
  const wrong = (): number => server.news.filter(({ is }) => is === "misbehaved").length;
  for (let ask = 0; ask < asks; ask++) {
    server.fleet.requestFullState(stage.agent.uid);
    await stage.until(`a server that ${what}`, () => wrong() >= Math.min(ask + 1, times));
  }
  await stage.until(`a server that ${what}`, () => wrong() >= times);
  server.modes.set({ is: "none" });
  expect(await stage.collector()).toBe(pid);
  await stage.apply(nopPipeline("after"));
  await supervisor.logs("Remote configuration received", 2);

  const lines = supervisor.log.slice(quiet);
  const end = lines.findIndex(({ msg }) => msg === "Remote configuration received");
  const said = lines.slice(0, end).map(({ because, error, msg, reason }) => [msg, error, reason, because].filter((part) => typeof part === "string").join(": "));
  const ends = eachTime ? Math.max(1, Math.ceil(said.length / says.length)) : 1;
  expect(said.map((text) => text.replaceAll(new URL(server.webSocketUrl).host, HOST).replace(/(illegal tag): .*/, "$1"))).toEqual(Array.from({ length: ends }, () => says).flat());
  expect(supervisor.stderr).toBe("");
});
