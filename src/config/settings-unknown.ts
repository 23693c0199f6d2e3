/** Complains about every key that no reader asked for: foreign ones in their own words, others with the nearest name. */
import { foreignChildren, foreignKey } from "./settings-foreign.js";
import { nearest } from "./settings-nearest.js";
import type { Problems } from "./settings-problems.js";
import type { Section } from "./settings-section.js";
import { isEmpty } from "./settings-tree.js";
import type { Place, Tree } from "./settings-tree.js";

/** Suggestions cost time, and behind these many nobody reads them. */
const SUGGESTIONS_MAX = 100;

export function reportUnknownKeys(sections: readonly Section[], problems: Problems): void {
  let suggestions = 0;
  for (const section of sections) {
    const siblings = [...section.keys];
    for (const { key, place, value } of section.unknownKeys()) {
      suggestions += 1;
      if (suggestions <= SUGGESTIONS_MAX) report({ path: section.pathOf(key), key, place, value, siblings }, sections, problems);
      else problems.error(place, section.pathOf(key), "unknown key");
    }
  }
}

interface Unknown {
  readonly path: string;
  readonly key: string;
  readonly place: Place;
  readonly value: Tree;
  readonly siblings: readonly string[];
}

function report(unknown: Unknown, sections: readonly Section[], problems: Problems): void {
  const { path, place, value } = unknown;
  const foreign = foreignKey(path);
  if (foreign !== null) {
    // A key without content asks for nothing, so that it may stay.
    if (isEmpty(value)) return;
    if (foreign.is === "error") problems.error(place, path, foreign.text);
    else problems.warn(place, path, foreign.text);
    return;
  }
  const children = foreignChildren(path);
  if (children.length === 0) {
    problems.error(place, path, `unknown key${suggestion(unknown, sections)}`);
    return;
  }
  if (isEmpty(value)) return;
  if (value.is !== "mapping") {
    problems.error(place, path, "expected a mapping (indented keys)");
    return;
  }
  for (const entry of value.entries) {
    const inner = { path: `${path}.${entry.key}`, key: entry.key, place: entry.place, value: entry.value, siblings: children };
    report(inner, sections, problems);
  }
}

function suggestion({ path, key, siblings }: Unknown, sections: readonly Section[]): string {
  const section = path.slice(0, Math.max(0, path.length - key.length - 1));
  const sibling = nearest(key, [...siblings, ...foreignChildren(section)]);
  if (sibling !== null) return `, did you mean "${sibling}"?`;
  const elsewhere = sections.find((candidate) => candidate.keys.has(key) && candidate.path !== section);
  if (elsewhere !== undefined) return `, did you mean "${elsewhere.pathOf(key)}"?`;
  return `; expected one of ${[...siblings].sort().join(", ")}`;
}
