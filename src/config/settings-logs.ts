/** `telemetry.logs`: what the supervisor says of itself, and where to. */
import { resolve } from "node:path";
import type { LogSettings } from "./settings.js";
import { nearest } from "./settings-nearest.js";
import type { Section } from "./settings-section.js";

export function readLogs(logs: Section, cwd: string): LogSettings {
  return {
    level: readLevel(logs),
    outputPaths: readPaths(logs, "output_paths", ["stdout"], cwd),
    errorOutputPaths: readPaths(logs, "error_output_paths", ["stderr"], cwd),
    encoding: readEncoding(logs),
  };
}

type Level = LogSettings["level"];

/** Go's logger has three levels above error; nothing here is logged there. */
const LEVELS: ReadonlyMap<string, Level> = new Map<string, Level>([
  ["debug", "debug"],
  ["info", "info"],
  ["", "info"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["dpanic", "error"],
  ["panic", "error"],
  ["fatal", "error"],
]);

function readLevel(logs: Section): Level {
  const tree = logs.find("level");
  if (tree?.is === "scalar" && typeof tree.value === "number") {
    if (tree.value < 0) return "debug";
    if (tree.value < 1) return "info";
    return tree.value < 2 ? "warn" : "error";
  }
  const text = logs.text("level", "info");
  const level = LEVELS.get(text.toLowerCase());
  if (level !== undefined) return level;
  const meant = nearest(text, LEVELS.keys());
  const suggestion = meant === null || meant === "" ? "" : `, did you mean "${meant}"?`;
  logs.error("level", `unrecognized level ${logs.shown("level")}; expected debug, info, warn or error${suggestion}`);
  return "info";
}

function readEncoding(logs: Section): LogSettings["encoding"] {
  const encoding = logs.text("encoding", "").trim().toLowerCase();
  if (encoding === "" || encoding === "json") return "json";
  if (encoding !== "console") logs.error("encoding", `unsupported log encoding ${logs.shown("encoding")}; expected json or console`);
  return "console";
}

function readPaths(logs: Section, key: string, fallback: readonly string[], cwd: string): readonly string[] {
  const paths: string[] = [];
  for (const [index, written] of logs.texts(key, fallback).entries()) {
    const path = written.trim();
    const url = /^([A-Za-z][A-Za-z0-9+.-]+):\/\/(.*)$/s.exec(path);
    if (path === "stdout" || path === "stderr") paths.push(path);
    else if (path === "") logs.entryError(key, index, `is empty; expected stdout, stderr or a path`);
    else if (url === null) paths.push(resolve(cwd, path));
    else if (url[1] === "file" && /^(localhost)?\//.test(url[2] ?? "")) paths.push((url[2] ?? "").replace(/^localhost/, ""));
    else logs.entryError(key, index, `a URL of scheme "${url[1] ?? ""}" cannot be written to; expected stdout, stderr or a path`);
  }
  return paths;
}
