/**
 * The README against the program: every key with its default, every named limit, command, file and place. What a person
 * reads there is so, and nothing that is there goes unsaid.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { usageText } from "../src/arguments.js";
import { AGENT_LOG_BYTES_MAX } from "../src/collector/output.js";
import { IN_PROCESS_CHARS_MAX, JOB_MS_MAX, WORKER_MEMORY_MIB_MAX } from "../src/config/compose-run.js";
import { CONFIG_BYTES_MAX } from "../src/config/layers.js";
import { readAgent } from "../src/config/settings-agent.js";
import { readCapabilities } from "../src/config/settings-capabilities.js";
import { foreignChildren, foreignKey } from "../src/config/settings-foreign.js";
import { readHealthcheck } from "../src/config/settings-healthcheck.js";
import { readLogs } from "../src/config/settings-logs.js";
import { Problems } from "../src/config/settings-problems.js";
import { Section } from "../src/config/settings-section.js";
import { readServer } from "../src/config/settings-server.js";
import { readStorage } from "../src/config/settings-storage.js";
import { FILE_START } from "../src/config/settings-tree.js";
import * as core from "../src/core/limits.js";
import { LOCAL_MESSAGE_BYTES_MAX } from "../src/opamp/extension-limits.js";
import * as opamp from "../src/opamp/limits.js";
import { STOP_GRACE_MS } from "../src/perform.js";
import { HISTORY_BYTES_MAX } from "../src/storage/history.js";
import { KEPT_BYTES_MAX, KEPT_COUNT_MAX } from "../src/storage/kept-configs.js";
import * as names from "../src/storage/names.js";

const TOP = join(import.meta.dirname, "..");
const README = readFileSync(join(TOP, "README.md"), "utf8");
const PACKAGE = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as { scripts: Record<string, string> };

/** The text below a heading, up to the next one of any level. */
function below(heading: string): string {
  const start = README.indexOf(`\n${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const rest = README.slice(start + heading.length + 2);
  const end = rest.search(/^#{1,3} /m);
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of the tables in a text, without their heads; cells without the marks of code. */
function rows(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("|") && !/^\|( --- \|)+$/.test(line));
  const heads = text.split("\n").filter((_, index, all) => /^\|( --- \|)+$/.test(all[index + 1] ?? ""));
  return lines.filter((line) => !heads.includes(line)).map((line) => line.slice(2, -2).split(" | "));
}

const bare = (cell: string | undefined): string => /^`([^`]*)`$/.exec(cell ?? "")?.[1] ?? cell ?? "";

/** All sections, after every reader has asked for its keys in an empty file; and what they read. */
function readNothing() {
  const sections: Section[] = [];
  const top = new Section({ problems: new Problems("empty.yaml"), sections }, null, "", FILE_START);
  const defaults = {
    server: readServer(top.section("server"), "/"),
    capabilities: readCapabilities(top.section("capabilities")),
    agent: readAgent(top.section("agent"), "/"),
    storage: readStorage(top.section("storage"), {}, "/"),
    telemetry: { logs: readLogs(top.section("telemetry").section("logs"), "/") },
    healthcheck: readHealthcheck(top.section("healthcheck")),
  };
  const containers = new Set(sections.map(({ path }) => path));
  const keys = sections.flatMap((section) => [...section.keys].map((key) => section.pathOf(key))).filter((path) => !containers.has(path));
  return { defaults, keys };
}

test("every key of supervisor.yaml is in the table, and no other", () => {
  const documented = rows(below("### Keys")).map(([key]) => bare(key));
  expect(documented.toSorted()).toEqual(readNothing().keys.toSorted());
});

test("the defaults in the table are those of the program", () => {
  const { defaults } = readNothing();
  const checked = rows(below("### Keys")).flatMap(([key, type, shown]) => {
    const value = valueAt(defaults, bare(key), type ?? "");
    return value === undefined ? [] : [{ key: bare(key), shown: bare(shown), value }];
  });
  expect(checked.length).toBeGreaterThan(20);
  expect(checked.map(({ key, shown }) => [key, shown])).toEqual(checked.map(({ key, value }) => [key, value]));
});

/** Undefined where the settings hold it in another form, or not at all. */
function valueAt(defaults: object, key: string, type: string): string | undefined {
  const path = key.split(".").map((part) => part.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  const isDuration = type === "duration";
  const last = path.length - 1;
  let value: unknown = defaults;
  for (const [index, part] of path.entries()) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[isDuration && index === last ? `${part}Ms` : part];
  }
  if (typeof value === "number") return isDuration ? `${value / 1_000}s` : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "string") return undefined;
  if (key.endsWith("min_version")) return `"${value}"`;
  return key.startsWith("telemetry.") ? value : undefined;
}

test("every key of the Go supervisor that is not supported is in the other table, with what happens to it", () => {
  const documented = rows(below("### Keys of the Go supervisor that are not supported")).map(([key, here]) => [bare(key), here]);
  expect(documented.toSorted()).toEqual(foreignKeys("").toSorted());
});

function foreignKeys(path: string): [string, string][] {
  return foreignChildren(path).flatMap((name) => {
    const child = path === "" ? name : `${path}.${name}`;
    const foreign = foreignKey(child);
    return foreign === null ? foreignKeys(child) : [[child, foreign.is === "error" ? "refused" : "ignored"] as [string, string]];
  });
}

const MEBIBYTE = 1024 * 1024;

test.each([
  ["message to or from the server, after decompression", `${opamp.DEFAULT_LIMITS.receiveBytesMax / MEBIBYTE} MiB`],
  ["message to or from the server, after decompression", `${opamp.DEFAULT_LIMITS.sendBytesMax / MEBIBYTE} MiB`],
  ["all layers of a configuration together, and the merged result", `${CONFIG_BYTES_MAX / MEBIBYTE} MiB`],
  [`composing a configuration of more than ${IN_PROCESS_CHARS_MAX / 1024} Ki characters (in a thread of its own)`, `${JOB_MS_MAX / 1000} s, ${WORKER_MEMORY_MIB_MAX} MiB`],
  ["message of the Collector's extension", `${LOCAL_MESSAGE_BYTES_MAX / MEBIBYTE} MiB`],
  ["reason in a status, the Collector's output aside", `${core.REASON_CHARS_MAX.toLocaleString("en")} characters`],
  ["`agent.log`, then again as `agent.log.1`", `${AGENT_LOG_BYTES_MAX / MEBIBYTE} MiB`],
  ["`history.jsonl`, then again as `history.jsonl.1`", `${HISTORY_BYTES_MAX / MEBIBYTE} MiB`],
  ["SIGTERM to SIGKILL of the Collector", `${STOP_GRACE_MS / 1000} s`],
  ["connecting, proxy and TLS included", `${opamp.CONNECT_MS_MAX / 1000} s`],
  ["pause between attempts to connect", `random, up to ${opamp.BACKOFF_MS / 1000} s, doubling to ${opamp.BACKOFF_MS_MAX / 1000} s`],
  ["pause that a server may ask for", `${opamp.RETRY_AFTER_MS_MAX / 3_600_000} h`],
  ["remembered failed configurations", String(core.FAILURES_MAX)],
  ["configurations kept in `config_history`", `${KEPT_COUNT_MAX}, together ${KEPT_BYTES_MAX / MEBIBYTE} MiB`],
  ["crashes in a row before a step down", String(core.STEP_DOWN_CRASHES)],
  ["pause before what should run is tried again", `${core.BASE_RETRY_MS / 1000} s, doubling to ${core.BASE_RETRY_MS_MAX / 3_600_000} h`],
  ["time for the server to answer before a startup fallback begins", `${core.FALLBACK_WAIT_MS} ms`],
])("limit: %s: %s", (limit, value) => {
  expect(rows(below("## Limits"))).toContainEqual([limit, value]);
});

test("the pace of rollouts and restarts is the program's", () => {
  const text = below("## What happens to a remote configuration").replace(/\s+/g, " ");
  expect(text).toContain(`within ${core.OFFER_BURST_WINDOW_MS / 1000} s of the one before waits until offers pause for ${core.OFFER_PAUSE_MS} ms, at most ${core.OFFER_WAIT_MS_MAX / 1000} s`);
  expect(text).toContain(`then after ${core.RESTART_DELAY_MS / 1000} s, doubling to ${core.RESTART_DELAY_MS_MAX / 1000} s`);
  expect(text).toContain(`A healthy run of ${core.STABLE_RUN_MS / 1000} s`);
  expect([core.HOLD_CRASHES, core.HOLD_RETRY_MS, core.RESTART_JITTER, core.PROBATION_CRASHES_MAX, core.PROBATION_FLIPS_MAX, core.TRIAL_LIVES_MAX]).toEqual([10, 300_000, 0.5, 3, 5, 3]);
  expect(text).toMatch(/ten crashes in a row.*every two and a half to five minutes/);
  expect(text).toContain("by three crashes, by five losses of health");
  expect(text).toContain("After three deaths of the supervisor");
});

test("every file of the storage directory is in its table", () => {
  const table = rows(below("## Storage directory")).map(([file]) => file).join(" ");
  const files = Object.values(names).flatMap((name: unknown) => (typeof name === "string" ? [name] : []));
  expect(files.length).toBeGreaterThan(8);
  for (const file of files) expect(table).toContain(`\`${file}\``);
});

test("every command exists", () => {
  const scripts = [...README.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? "");
  expect(scripts.length).toBeGreaterThan(5);
  for (const name of scripts) expect(Object.keys(PACKAGE.scripts)).toContain(name);
  const programs = [...README.matchAll(/node ((?:bin|dist)\/\S+\.js)/g)].map(([, path]) => path ?? "");
  expect(programs).toEqual(expect.arrayContaining(["bin/opampsupervisor.js", "dist/examples/server.js"]));
  const built = readFileSync(join(TOP, "build.js"), "utf8");
  for (const path of programs) expect(path.startsWith("dist/") ? built.includes(`"${path.slice(5, -3)}"`) : existsSync(join(TOP, path)), path).toBe(true);
});

test("every flag of the usage is in the table, and no other", () => {
  const flags = (text: string): string[] => [...text.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag);
  const table = rows(below("## Command line, exit codes, signals").split("Flags follow")[0] ?? "").map(([flag]) => flag).join(" ");
  expect([...new Set(flags(table))].toSorted()).toEqual([...new Set(flags(usageText))].toSorted());
});

test("links lead somewhere", () => {
  const anchors = [...README.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => `#${(title ?? "").toLowerCase().replace(/[^\w\- ]/g, "").replace(/ /g, "-")}`);
  const links = [...README.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? "").filter((link) => !link.startsWith("http"));
  expect(links.length).toBeGreaterThan(14);
  for (const link of links) expect(link.startsWith("#") ? anchors.includes(link) : existsSync(join(TOP, link)), link).toBe(true);
});

test("folders that are named are there", () => {
  const folders = [...README.matchAll(/`((?:src|test|examples|proto)\/[\w/.-]*)`/g)].map(([, path]) => path ?? "");
  expect(folders.length).toBeGreaterThan(12);
  for (const folder of folders) expect(existsSync(join(TOP, folder)), folder).toBe(true);
});

test("the printed trace is that of the scenario test", () => {
  const trace = below("## How it works").split("```").find((block) => block.trimStart().startsWith("> remote-config-offered")) ?? "";
  const story = readFileSync(join(TOP, "test/scenario/remote-config.test.ts"), "utf8").replace(/^ {4}"?/gm, "");
  expect(trace.trim().length).toBeGreaterThan(300);
  expect(story).toContain(trace.trim());
});

test("the supervisor.yaml of the walkthrough is the example's, without its comments", () => {
  const shown = /```yaml\n( +server:\n[^]+?)```/.exec(README)?.[1] ?? "";
  const example = readFileSync(join(TOP, "examples/supervisor.yaml"), "utf8");
  const plain = example.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  expect(shown.replace(/^ {3}/gm, "").trim().split("\n")).toEqual(plain);
});
