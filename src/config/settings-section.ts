/**
 * One mapping of the settings file while it is read into `Settings`. Each call names a key, its type and its default;
 * whatever was not asked for in the end is an unknown key. Written by hand on the positioned tree instead of a schema of
 * zod: that costs 13 ms of a start path of 140 ms, knows no lines, and would need a second table for Go's other keys.
 */
import { toMilliseconds } from "./duration.js";
import { isNull } from "./settings-tree.js";
import type { Mapping, Place, Tree } from "./settings-tree.js";
import type { Problems } from "./settings-problems.js";
import { nameOf, readBoolean, readDuration, readInteger, readText, readTexts, shown } from "./settings-value.js";
import type { Read } from "./settings-value.js";

export interface UnknownKey {
  readonly section: Section;
  readonly key: string;
  readonly place: Place;
  readonly value: Tree;
}

/** What all sections of one file share. */
export interface Reading {
  readonly problems: Problems;
  readonly sections: Section[];
}

type Refusal<T> = (name: string, value: T) => string | null;

export class Section {
  readonly path: string;
  readonly place: Place;
  readonly keys = new Set<string>();
  readonly #mapping: Mapping | null;
  readonly #reading: Reading;

  constructor(reading: Reading, mapping: Mapping | null, path: string, place: Place) {
    this.path = path;
    this.place = place;
    this.#mapping = mapping;
    this.#reading = reading;
    reading.sections.push(this);
  }

  /** The value of a key, null when it is absent or null. Values that came from a reference stay, even when empty. */
  find(key: string): Tree | null {
    this.keys.add(key);
    const value = this.#mapping?.entries.find((entry) => entry.key === key)?.value ?? null;
    return value === null || (isNull(value) && value.origin === null) ? null : value;
  }

  pathOf(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  /** An error at the key, or at the section when the key is not there. */
  error(key: string, text: string): void {
    this.#reading.problems.error(this.find(key)?.place ?? this.place, this.pathOf(key), text);
  }

  /** An error at one entry of a list; a text that was split at its commas has but one place. */
  entryError(key: string, index: number, text: string): void {
    const tree = this.find(key);
    const place = tree?.is === "list" ? tree.items[index]?.place : tree?.place;
    this.#reading.problems.error(place ?? this.place, `${this.pathOf(key)}[${index}]`, text);
  }

  warn(key: string, text: string): void {
    this.#reading.problems.warn(this.find(key)?.place ?? this.place, this.pathOf(key), text);
  }

  /** A value of a key that holds no secret, as it stands in the file. */
  shown(key: string): string {
    const tree = this.find(key);
    return tree === null ? "nothing" : shown(tree);
  }

  section(key: string): Section {
    const tree = this.find(key);
    const place = tree?.place ?? this.place;
    const path = this.pathOf(key);
    if (tree === null || isNull(tree)) return new Section(this.#reading, null, path, place);
    if (tree.is === "mapping") return new Section(this.#reading, tree, path, place);
    this.#reading.problems.breakOff(place, path, `expected a mapping (indented keys) but found ${nameOf(tree)}`);
    return new Section(this.#reading, null, path, place);
  }

  text(key: string, fallback: string): string {
    return this.#read(key, readText, fallback);
  }

  boolean(key: string, fallback: boolean): boolean {
    return this.#read(key, readBoolean, fallback);
  }

  integer(key: string, fallback: number): number {
    return this.#read(key, readInteger, fallback);
  }

  texts(key: string, fallback: readonly string[]): readonly string[] {
    return this.#read(key, readTexts, fallback);
  }

  /** Milliseconds; negative ones are left to the caller, who knows Go's words for this key. */
  durationMs(key: string, fallbackMs: number): number {
    const duration = this.#read(key, readDuration, null);
    if (duration === null) return fallbackMs;
    if (duration.bare) {
      this.warn(key, `a bare number counts as nanoseconds, as in Go; write a unit, e.g. ${Math.abs(duration.nanoseconds)}s`);
    }
    return toMilliseconds(duration.nanoseconds);
  }

  /**
   * Texts by free names. Values may be secrets and are never shown.
   * @param refuse what is wrong with an entry, null when it is good.
   */
  textMap(key: string, refuse: Refusal<string> = () => null): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#map(key, readText, refuse));
  }

  /** Lists of texts by free names. */
  textsMap(key: string, refuse: Refusal<readonly string[]>): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#map(key, readTexts, refuse));
  }

  /** Keys of the file that nobody asked for. */
  unknownKeys(): UnknownKey[] {
    const entries = this.#mapping?.entries ?? [];
    return entries.filter(({ key }) => !this.keys.has(key)).map(({ key, place, value }) => ({ section: this, key, place, value }));
  }

  #read<T, F>(key: string, read: (tree: Tree) => Read<T>, fallback: F): T | F {
    const tree = this.find(key);
    if (tree === null) return fallback;
    const result = read(tree);
    if (result.ok) return result.value;
    this.#reading.problems.breakOff(tree.place, this.pathOf(key), result.expected);
    return fallback;
  }

  #map<T>(key: string, read: (tree: Tree) => Read<T>, refuse: Refusal<T>): [string, T][] {
    const tree = this.find(key);
    if (tree === null || isNull(tree)) return [];
    const path = this.pathOf(key);
    if (tree.is !== "mapping") {
      this.#reading.problems.breakOff(tree.place, path, `expected a mapping of names to values but found ${nameOf(tree)}`);
      return [];
    }
    const entries: [string, T][] = [];
    for (const entry of tree.entries) {
      const result = read(entry.value);
      const wrong = result.ok ? refuse(entry.key, result.value) : result.expected;
      if (wrong !== null) this.#reading.problems.error(entry.value.place, `${path}.${entry.key}`, wrong);
      if (result.ok) entries.push([entry.key, result.value]);
    }
    return entries;
  }
}
