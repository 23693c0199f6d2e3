/**
 * A Collector configuration as a tree that keeps what was written. The Collector decodes YAML with Go's library, for which
 * `0123` is 83 and `yes` is a text; so a plain scalar is never given a JavaScript value, it stays the text it was.
 */
export type ConfigNode = ConfigMap | ConfigList | PlainScalar | TextScalar | TaggedScalar;

export interface ConfigMap {
  readonly is: "map";
  readonly entries: ReadonlyMap<string, ConfigNode>;
}

export interface ConfigList {
  readonly is: "list";
  readonly items: readonly ConfigNode[];
}

/** Unquoted: what it means is decided by whoever decodes it. */
export interface PlainScalar {
  readonly is: "plain";
  readonly source: string;
}

/** A text for sure: it was quoted, a block scalar or tagged `!!str`. */
export interface TextScalar {
  readonly is: "text";
  readonly value: string;
}

/** A scalar with a tag of the core schema such as `!!binary`, handed on as it is. */
export interface TaggedScalar {
  readonly is: "tagged";
  /** `!!int`, `!!float`, `!!bool`, `!!null`, `!!binary` or `!!timestamp`. */
  readonly tag: string;
  readonly value: string;
}

export const EMPTY_MAP: ConfigMap = { is: "map", entries: new Map() };
export const NULL: PlainScalar = { is: "plain", source: "null" };

export function plain(source: string): PlainScalar {
  return { is: "plain", source };
}

export function text(value: string): TextScalar {
  return { is: "text", value };
}

export function list(items: readonly ConfigNode[]): ConfigList {
  return { is: "list", items };
}

export function map(entries: Readonly<Record<string, ConfigNode>>): ConfigMap {
  return { is: "map", entries: new Map(Object.entries(entries)) };
}

export function withEntry(parent: ConfigMap, key: string, value: ConfigNode): ConfigMap {
  return { is: "map", entries: new Map(parent.entries).set(key, value) };
}

export function withoutEntry(parent: ConfigMap, key: string): ConfigMap {
  const entries = new Map(parent.entries);
  entries.delete(key);
  return { is: "map", entries };
}

/** What lies at a path of keys, undefined where a part of the path is absent or not a mapping. */
export function nodeAt(root: ConfigNode, path: readonly string[]): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const key of path) {
    if (node?.is !== "map") return undefined;
    node = node.entries.get(key);
  }
  return node;
}

/** The text of a scalar as it was written, null for mappings and lists. */
export function scalarText(node: ConfigNode): string | null {
  switch (node.is) {
    case "plain":
      return node.source;
    case "text":
    case "tagged":
      return node.value;
    case "map":
    case "list":
      return null;
  }
}

/** In words, for a message. */
export function kindOf(node: ConfigNode): string {
  switch (node.is) {
    case "map":
      return "a mapping";
    case "list":
      return "a list";
    case "plain":
    case "text":
    case "tagged":
      return "a single value";
  }
}
