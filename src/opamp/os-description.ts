/**
 * What the opamp extension will say of the operating system, found out before it runs: its library looks at the same
 * files in the same order. A wrong guess costs one more message, nothing else.
 */
import { readFileSync } from "node:fs";
import { platform, release } from "node:os";

/** @param readText the text of a file, null when there is none. */
export function describeOperatingSystem(readText: (path: string) => string | null = readIfPresent): string {
  if (platform() !== "linux") return `${platform()} ${release()}`;
  const found = ubuntuOrDebian(readText) ?? redHatLike(readText) ?? alpine(readText) ?? osRelease(readText);
  return found === null ? "Linux" : `${titled(found.name)} ${found.version}`;
}

interface Distribution {
  readonly name: string;
  readonly version: string;
}

type ReadText = (path: string) => string | null;

function ubuntuOrDebian(readText: ReadText): Distribution | null {
  const debian = readText("/etc/debian_version");
  if (debian === null) return null;
  const lsb = readText("/etc/lsb-release");
  const id = value(lsb, "DISTRIB_ID");
  if (id === "Ubuntu" || id === "LinuxMint") return { name: id.toLowerCase(), version: value(lsb, "DISTRIB_RELEASE") };
  return { name: "debian", version: debian.split("\n")[0]?.trim() ?? "" };
}

function redHatLike(readText: ReadText): Distribution | null {
  const text = (readText("/etc/redhat-release") ?? readText("/etc/system-release"))?.toLowerCase();
  if (text === undefined) return null;
  const version = /release (\w[\d.]*)/.exec(text)?.[1] ?? "";
  return { name: text.includes("red hat") ? "redhat" : (text.split(" ")[0] ?? ""), version };
}

function alpine(readText: ReadText): Distribution | null {
  const text = readText("/etc/alpine-release");
  return text === null ? null : { name: "alpine", version: text.split("\n")[0]?.trim() ?? "" };
}

function osRelease(readText: ReadText): Distribution | null {
  const text = readText("/etc/os-release");
  return text === null ? null : { name: value(text, "ID"), version: value(text, "VERSION_ID") };
}

function value(text: string | null, key: string): string {
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${key}=`));
  return line?.slice(key.length + 1).replaceAll('"', "").trim() ?? "";
}

function titled(words: string): string {
  return words.toLowerCase().replace(/(^|[^a-z0-9])([a-z])/g, (_all, before: string, first: string) => before + first.toUpperCase());
}

function readIfPresent(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8");
    return text === "" ? null : text;
  } catch {
    return null;
  }
}
