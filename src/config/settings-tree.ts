/**
 * What stands between YAML and `Settings`: plain values that still know their line. Every reader below works on this
 * tree, so that a complaint can always name file, line and column.
 */

/** Line and column of the file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type ScalarValue = string | number | bigint | boolean | null;

/** Set when the whole value came from one reference, e.g. `${env:PORT}`. */
export interface Origin {
  /** What the variable or the file held, which a text field takes instead of the parsed value. */
  readonly text: string;
  /** The reference as written. */
  readonly reference: string;
}

interface Node {
  readonly place: Place;
  readonly origin: Origin | null;
}

export interface Scalar extends Node {
  readonly is: "scalar";
  readonly value: ScalarValue;
  /** As written, without quotes. */
  readonly source: string;
}

export interface List extends Node {
  readonly is: "list";
  readonly items: readonly Tree[];
}

export interface Mapping extends Node {
  readonly is: "mapping";
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly place: Place;
  readonly value: Tree;
}

export type Tree = Scalar | List | Mapping;

export const FILE_START: Place = { line: 1, column: 1 };

export function nullAt(place: Place): Scalar {
  return { is: "scalar", place, origin: null, value: null, source: "" };
}

/** True for what means "not given": null, and a null that came from a reference. */
export function isNull(tree: Tree): boolean {
  return tree.is === "scalar" && tree.value === null;
}

/** True for null, "", [] and {}: a key that is written but asks for nothing. */
export function isEmpty(tree: Tree): boolean {
  switch (tree.is) {
    case "scalar":
      return tree.value === null || tree.value === "";
    case "list":
      return tree.items.length === 0;
    case "mapping":
      return tree.entries.length === 0;
  }
}
