/**
 * Collects everything that is wrong with a settings file, so that a person corrects it in one go instead of one start
 * for each mistake. Texts never hold the value of a header, a key or a variable: they may end in a shared log.
 */
import { SupervisorError } from "../lib/error.js";
import type { Place } from "./settings-tree.js";

/** More than this many lines help nobody; the rest is counted. */
const PROBLEMS_SHOWN_MAX = 50;

const PATH_CHARS_MAX = 200;

interface Note {
  readonly place: Place;
  readonly path: string;
  readonly text: string;
}

export class Problems {
  readonly #errors: Note[] = [];
  readonly #warnings: Note[] = [];
  readonly #broken = new Set<string>();
  /** Path to the variable that left it empty. */
  readonly #unset = new Map<string, string>();
  readonly #fileName: string;

  /** @param fileName how the user named the file, e.g. `supervisor.yaml` or `env:SUPERVISOR`. */
  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  /** @param path dotted path of the key, "" for the file as a whole. */
  error(place: Place, path: string, text: string): void {
    if (this.#isBroken(path)) return;
    const variable = this.#unset.get(path);
    const cause = variable === undefined ? "" : ` (environment variable ${variable} is not set)`;
    this.#errors.push({ place, path, text: text + cause });
  }

  /** A variable without a value: one warning, and the cause of what is wrong with the key. */
  unset(place: Place, path: string, variable: string): void {
    const known = [...this.#unset.values()].includes(variable);
    this.#unset.set(path, variable);
    if (known) return;
    this.warn(place, path, `environment variable ${variable} is not set, so its value is empty; set it or write \${env:${variable}:-default}`);
  }

  /** An error after which nothing below `path` can be judged: later errors there would only be its echo. */
  breakOff(place: Place, path: string, text: string): void {
    this.error(place, path, text);
    this.#broken.add(path);
  }

  warn(place: Place, path: string, text: string): void {
    this.#warnings.push({ place, path, text });
  }

  /** Warnings in the order of the file. */
  warnings(): string[] {
    return [...this.#warnings].sort(byPlace).map((note) => this.#line(note));
  }

  /** Throws all errors as one, in the order of the file. */
  throwIfAny(): void {
    const { length } = this.#errors;
    if (length === 0) return;
    const shown = [...this.#errors].sort(byPlace).slice(0, PROBLEMS_SHOWN_MAX);
    const lines = shown.map((note) => `  ${this.#line(note)}`);
    if (length > shown.length) lines.push(`  and ${length - shown.length} more`);
    const count = length === 1 ? "1 problem" : `${length} problems`;
    throw new SupervisorError("settings", `${this.#fileName} has ${count}:\n${lines.join("\n")}`);
  }

  #isBroken(path: string): boolean {
    for (const broken of this.#broken) {
      if (broken === "" || path === broken || path.startsWith(`${broken}.`) || path.startsWith(`${broken}[`)) return true;
    }
    return false;
  }

  #line({ place, path, text }: Note): string {
    const where = `${this.#fileName}:${place.line}:${place.column}`;
    return path === "" ? `${where}: ${text}` : `${where} ${printable(path)}: ${text}`;
  }
}

/** Keys are free text in some places, and a message must stay one line. */
function printable(path: string): string {
  const short = path.length > PATH_CHARS_MAX ? `${path.slice(0, PATH_CHARS_MAX)}…` : path;
  return /[^\x20-\x7e…]/.test(short) ? JSON.stringify(short) : short;
}

function byPlace(a: Note, b: Note): number {
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
