/**
 * Puts one key into a mapping. A key with the delimiter `::` is the path of a nested one: `agent::executable: x` means
 * `agent: {executable: x}`, and such keys may be mixed with the nested form. The same leaf twice is a mistake, since
 * nobody can know which of both was meant.
 */
import type { Entry, Mapping, Place } from "./settings-tree.js";

const DELIMITER = "::";

export interface Nesting {
  complain(complaint: { place: Place; text: string }): void;
  /** Mappings that exist because of a `::`: these may be joined, two written out ones may not. */
  readonly fromPath: WeakSet<Mapping>;
}

export function addEntry(entries: Map<string, Entry>, entry: Entry, nesting: Nesting): void {
  const at = entry.key.indexOf(DELIMITER);
  const isPath = at > 0;
  const key = isPath ? entry.key.slice(0, at) : entry.key;
  const added = isPath ? { key, place: entry.place, value: nest(entry, at, nesting) } : entry;
  const existing = entries.get(key);
  if (existing === undefined) {
    entries.set(key, added);
    return;
  }
  const mine = existing.value;
  const joins = mine.is === "mapping" && added.value.is === "mapping" && (isPath || nesting.fromPath.has(mine));
  if (!joins) {
    nesting.complain({ place: entry.place, text: `duplicate key "${entry.key}", already defined in line ${existing.place.line}` });
    return;
  }
  const joined = new Map(mine.entries.map((inner) => [inner.key, inner]));
  for (const inner of added.value.entries) addEntry(joined, inner, nesting);
  const value: Mapping = { ...mine, entries: [...joined.values()] };
  nesting.fromPath.add(value);
  entries.set(key, { ...existing, value });
}

function nest(entry: Entry, at: number, nesting: Nesting): Mapping {
  const inner = new Map<string, Entry>();
  addEntry(inner, { ...entry, key: entry.key.slice(at + DELIMITER.length) }, nesting);
  const mapping: Mapping = { is: "mapping", place: entry.place, origin: null, entries: [...inner.values()] };
  nesting.fromPath.add(mapping);
  return mapping;
}
