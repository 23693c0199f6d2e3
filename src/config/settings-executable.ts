/** `agent.executable`: it must exist, be a file and be executable, and each failure has a remedy of its own. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Section } from "./settings-section.js";

/** The absolute path. */
export function readExecutable(agent: Section, cwd: string): string {
  const text = agent.text("executable", "");
  if (text === "") {
    agent.error("executable", "agent::executable must be specified; expected the path of a Collector, e.g. /usr/bin/otelcol-contrib");
    return text;
  }
  const path = resolve(cwd, text);
  const problem = problemOf(path, text);
  if (problem !== null) agent.error("executable", problem);
  return path;
}

function problemOf(path: string, text: string): string | null {
  try {
    const facts = statSync(path);
    if (facts.isDirectory()) return `${path} is a directory; name the Collector's binary in it`;
    if (!facts.isFile()) return `${path} is not a regular file; expected the Collector's binary`;
  } catch (error) {
    return `could not stat agent::executable path: ${path}: ${reasonOf(error)}${hint(text)}`;
  }
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return `${path} is not executable for this user; make it so with chmod +x`;
  }
  return null;
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file";
    case "ENOTDIR":
      return "a part of the path is not a directory";
    case "EACCES":
      return "permission denied; this user may not enter one of its directories";
    case "ELOOP":
      return "its symbolic links form a loop";
    default:
      return `the system says ${(error as NodeJS.ErrnoException).code ?? "nothing"}`;
  }
}

function hint(text: string): string {
  const name = /^\$([A-Za-z_]\w*)/.exec(text)?.[1];
  if (name !== undefined) return `; $${name} is not expanded, write \${env:${name}}`;
  if (text.startsWith("~")) return "; ~ is not expanded, write ${env:HOME} instead";
  if (!text.includes("/")) return "; it is taken relative to the working directory, PATH is not searched";
  return "; correct the path, or install the Collector there";
}
