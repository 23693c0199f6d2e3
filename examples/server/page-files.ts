/**
 * The files of the web page, read from disk: beside this source in a checkout, and from `examples/server/page/` when
 * this code runs from the bundle. They are plain files that a browser takes as they are, from this server alone.
 */
import { readFileSync, readdirSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { SupervisorError } from "../../src/lib/error.js";

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
const PLACES = ["./page/", "../../examples/server/page/"];

/** By request path; `/` is the page itself. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const directory = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(isPageDirectory);
  if (directory === undefined) throw new SupervisorError("server", "the files of the web page are missing: expected examples/server/page/ beside the program");
  const files = readdirSync(directory).flatMap((name): [string, PageFile][] => {
    const type = TYPES[extname(name)];
    return type === undefined ? [] : [[name === "index.html" ? "/" : `/${name}`, { type, body: readFileSync(`${directory}${name}`) }]];
  });
  return new Map(files);
}

function isPageDirectory(path: string): boolean {
  try {
    return readdirSync(path).includes("index.html");
  } catch {
    return false;
  }
}
