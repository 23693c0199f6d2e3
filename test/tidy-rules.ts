/**
 * The boundaries and house rules as functions over the source text. Each answers with the places that break it, so that
 * a failing test says the rule, the file and the line.
 */
import { basename, dirname, join } from "node:path/posix";
import ts from "typescript";

export interface Source {
  /** From the top of the repository, with "/". */
  readonly path: string;
  readonly text: string;
}

/** Every rule by its words; answers with the lines that break it and what stands there. */
export const RULES: Readonly<Record<string, (file: Parsed) => readonly Place[]>> = {
  "core imports only its own files, checks and words of lib, and types of gen": (file) =>
    inFolder(file, "src/core") ? importsOf(file).filter(({ from, typeOnly }) => !isCoreImport(from, typeOnly)) : [],
  "core is synchronous and knows no clock and no chance": (file) =>
    inFolder(file, "src/core") ? [...names(file, ["Date", "performance", "crypto", "console"]), ...texts(file, /\bMath\.random\b|\basync\b|\bawait\b|\bPromise\b/)] : [],
  "only lib/clock.ts knows timers and clocks": (file) =>
    inFolder(file, "src") && file.path !== "src/lib/clock.ts" ? [...timers(file), ...importing(file, /^(node:)?(timers|perf_hooks)/)] : [],
  "the wall clock is read only for what people and servers read": (file) =>
    inFolder(file, "src") && !WALL_CLOCK_READERS.includes(file.path) ? matches(file, /\.unixNano\(/) : [],
  "the edges do not import each other's values": (file) => {
    const own = EDGES.find((edge) => inFolder(file, `src/${edge}`));
    const others = EDGES.filter((edge) => edge !== own);
    return own === undefined ? [] : importsOf(file).filter(({ from, typeOnly }) => !typeOnly && others.some((edge) => from.startsWith(`src/${edge}/`)));
  },
  "the edges and lib do not know the loop, its parts or main": (file) =>
    [...EDGES, "lib"].some((part) => inFolder(file, `src/${part}`))
      ? importsOf(file).filter(({ from, typeOnly }) => /^src\/[^/]+\.js$/.test(from) || (from.startsWith("src/core/") && !typeOnly))
      : [],
  "lib imports no values of the program": (file) =>
    inFolder(file, "src/lib") ? importing(file, /^src\/(?!lib\/)/).filter(({ typeOnly }) => !typeOnly) : [],
  "only opamp and storage know protobuf": (file) => only(file, ["src/opamp", "src/storage", "src/gen"], /^@bufbuild\/|^src\/gen\//),
  "only config and storage know YAML": (file) => only(file, ["src/config", "src/storage"], /^yaml$/),
  "only collector starts processes": (file) => only(file, ["src/collector"], /^execa$|^(node:)?child_process$/),
  "only opamp knows ws": (file) => only(file, ["src/opamp"], /^ws$/),
  "only supervisor.ts calls step": (file) =>
    inFolder(file, "src") && !inFolder(file, "src/core") && file.path !== "src/supervisor.ts" ? importsOf(file).filter(({ from }) => from === "src/core/step.js") : [],
  "only perform.ts, and preparer.ts for it, performs effects": (file) =>
    inFolder(file, "src") && !inFolder(file, "src/core") && !["src/perform.ts", "src/preparer.ts", "src/supervisor.ts"].includes(file.path)
      ? importsOf(file).filter(({ from }) => from === "src/core/effect.js")
      : [],
  "only main.ts knows process.on, process.exit and the environment": (file) =>
    inFolder(file, "src") && file.path !== "src/main.ts" ? processParts(file) : [],
  "no default exports": (file) => found(file, isDefaultExport),
  "no any": (file) => found(file, (node) => node.kind === ts.SyntaxKind.AnyKeyword),
  "no non-null assertions": (file) => found(file, (node) => ts.isNonNullExpression(node) || (ts.isPropertyDeclaration(node) && node.exclamationToken !== undefined)),
  "no enum of ours": (file) => found(file, ts.isEnumDeclaration),
  "imports of own files end in .js": (file) => importsOf(file).filter(({ said }) => said.startsWith(".") && !/\.(js|html|css|json)$/.test(said)),
  "imports of Node's modules begin with node:": (file) => importsOf(file).filter(({ said }) => NODE_MODULES.has(said)),
  "files have at most 300 lines": (file) => (lines(file.text) > FILE_LINES_MAX && !isTest(file) ? [{ line: 1, what: `${lines(file.text)} lines` }] : []),
  "functions have at most 70 lines": (file) => (isTest(file) ? [] : found(file, isLongFunction)),
  "names of files are kebab-case": (file) => (/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(basename(file.path)) ? [] : [{ line: 1, what: basename(file.path) }]),
  "no index.ts": (file) => (basename(file.path) === "index.ts" ? [{ line: 1, what: file.path }] : []),
  "no folder for a kind of code": (file) => (/(^|\/)(utils?|types?|helpers?|common|misc)\//.test(file.path) ? [{ line: 1, what: dirname(file.path) }] : []),
  "nothing is left to do": (file) => matches(file, LEFT_TO_DO),
  "a file opens with its idea": (file) => (inFolder(file, "src") && !/^(#!.*\n)?\/\*\*/.test(file.text) ? [{ line: 1, what: file.text.slice(0, 40) }] : []),
};

export interface Place {
  readonly line: number;
  readonly what: string;
}

interface Import extends Place {
  /** As written. */
  readonly said: string;
  /** Own files from the top of the repository, else as written. */
  readonly from: string;
  readonly typeOnly: boolean;
}

export interface Parsed extends Source {
  readonly tree: ts.SourceFile;
}

const EDGES = ["opamp", "config", "collector", "storage"];
/** Times in the log, in the history and in messages, and the date in a server's Retry-After. No decision is among them. */
const WALL_CLOCK_READERS = [
  "src/collector/commander.ts",
  "src/lib/log-pino.ts",
  "src/opamp/client.ts",
  "src/opamp/http.ts",
  "src/opamp/websocket-handshake.ts",
  "src/lib/clock.ts",
];
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;
const TIMER_NAMES = ["setTimeout", "setInterval", "setImmediate"];
/** In pieces, since this file is looked at too. */
const LEFT_TO_DO = new RegExp(`\\b(?:${["TO", "FIX"].map((start, index) => start + (["DO", "ME"][index] ?? "")).join("|")})\\b`);
const NODE_MODULES = new Set(["child_process", "crypto", "events", "fs", "fs/promises", "http", "https", "net", "os", "path", "stream", "tls", "url", "util", "worker_threads", "zlib"]);

export function parse({ path, text }: Source): Parsed {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true) };
}

function inFolder(file: Source, folder: string): boolean {
  return file.path.startsWith(`${folder}/`) && !file.path.startsWith("src/gen/");
}

function isTest(file: Source): boolean {
  return file.path.startsWith("test/");
}

function lines(text: string): number {
  return text.trimEnd().split("\n").length;
}

function isCoreImport(from: string, typeOnly: boolean): boolean {
  return /^src\/core\/[^/]+$/.test(from) || ["src/lib/check.js", "src/lib/later.js", "src/lib/log-tail.js"].includes(from) || (typeOnly && from.startsWith("src/gen/"));
}

function only(file: Parsed, folders: readonly string[], pattern: RegExp): readonly Place[] {
  return !file.path.startsWith("src/") || folders.some((folder) => inFolder(file, folder)) ? [] : importing(file, pattern).filter(({ typeOnly }) => !typeOnly);
}

function importing(file: Parsed, pattern: RegExp): readonly Import[] {
  return importsOf(file).filter(({ from }) => pattern.test(from));
}

/** Imports, re-exports and `import()`, with what they point to. */
function importsOf(file: Parsed): Import[] {
  const imports: Import[] = [];
  visit(file.tree, (node) => {
    const said = specifierOf(node);
    if (said === null) return;
    const from = said.startsWith(".") ? join(dirname(file.path), said) : said;
    imports.push({ said, from, typeOnly: isTypeOnly(node), line: lineOf(file, node), what: node.getText().split("\n")[0] ?? "" });
  });
  return imports;
}

function specifierOf(node: ts.Node): string | null {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : null;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : null;
  }
  return null;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return false;
  const { phaseModifier, namedBindings, name } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
  return name === undefined && named.length > 0 && named.every((element) => element.isTypeOnly);
}

/** Uses of global names; `socket.setTimeout` or a field called `process` is something else. */
function names(file: Parsed, wanted: readonly string[]): Place[] {
  return found(file, (node) => ts.isIdentifier(node) && wanted.includes(node.text) && isReference(node));
}

function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node || parent.expression.getText() === "globalThis";
  return !(ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent) || ts.isTypeReferenceNode(parent) || ts.isBindingElement(parent) || ts.isParameter(parent) || ts.isVariableDeclaration(parent) || ts.isShorthandPropertyAssignment(parent) || !isGlobal(node));
}

/** No declaration of that name in the file. */
function isGlobal(node: ts.Identifier): boolean {
  let global = true;
  visit(node.getSourceFile(), (other) => {
    const declares = ts.isVariableDeclaration(other) || ts.isParameter(other) || ts.isBindingElement(other);
    if (declares && ts.isIdentifier(other.name) && other.name.text === node.text) global = false;
  });
  return global;
}

function timers(file: Parsed): Place[] {
  const clocks = texts(file, /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/);
  return [...names(file, TIMER_NAMES), ...clocks];
}

function processParts(file: Parsed): Place[] {
  const parts = ["on", "once", "addListener", "exit", "exitCode", "env", "abort"];
  return found(
    file,
    (node) => ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "process" && parts.includes(node.name.text) && isGlobal(node.expression),
  );
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === "default";
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}

function isLongFunction(node: ts.Node): boolean {
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined && lines(node.getText()) > FUNCTION_LINES_MAX;
}

/** In the lines of the text that are not comments as a whole. */
function texts(file: Parsed, pattern: RegExp): Place[] {
  return matches(file, pattern).filter(({ what }) => !/^(\/\*\*|\*|\/\/)/.test(what));
}

function matches(file: Parsed, pattern: RegExp): Place[] {
  return file.text.split("\n").flatMap((line, index) => (pattern.test(line) ? [{ line: index + 1, what: line.trim() }] : []));
}

function found(file: Parsed, wanted: (node: ts.Node) => boolean): Place[] {
  const places: Place[] = [];
  visit(file.tree, (node) => {
    if (wanted(node)) places.push({ line: lineOf(file, node), what: node.getText().split("\n")[0]?.slice(0, 80) ?? "" });
  });
  return places;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

function lineOf(file: Parsed, node: ts.Node): number {
  return file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}
