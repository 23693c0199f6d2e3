/** Hides the values of secret keys in a tree, and what is secret by its form in every text. */
import { isOnlyReference, REDACTED, redactText } from "./redact-text.js";
import { holdsSecrets, isSecretKey } from "./redact-keys.js";
import { scalarText, text, type ConfigMap, type ConfigNode } from "./yaml-node.js";
import { isBooleanSource, isNullSource } from "./yaml-scalar.js";

/** @param parent the key that holds the node: `key` alone says nothing, below `api` it is a secret. */
export function redactTree(node: ConfigNode, replaceKnown: (text: string) => string, parent = ""): ConfigNode {
  switch (node.is) {
    case "map":
      return redactMap(node, replaceKnown, parent);
    case "list":
      return { is: "list", items: node.items.map((item) => redactTree(item, replaceKnown)) };
    case "plain":
    case "text":
    case "tagged": {
      const before = scalarText(node) ?? "";
      const after = redactText(before, replaceKnown);
      return after === before ? node : text(after);
    }
  }
}

function redactMap(node: ConfigMap, replaceKnown: (text: string) => string, parent: string): ConfigMap {
  const named = namesSecret(node);
  const entries = new Map<string, ConfigNode>();
  for (const [key, value] of node.entries) {
    const hidden = isSecretKey(key) || holdsSecrets(key) || (named && VALUE_KEYS.has(key)) || (parent === "api" && key === "key");
    entries.set(key, hidden ? hide(value, replaceKnown) : redactTree(value, replaceKnown, key));
  }
  return { is: "map", entries };
}

/** `{name: X-Api-Key, value: …}` and `{key: authorization, action: insert, value: …}`. */
function namesSecret(node: ConfigMap): boolean {
  for (const key of ["name", "key", "header"]) {
    const named = node.entries.get(key);
    const name = named === undefined ? null : scalarText(named);
    if (name !== null && isSecretKey(name)) return true;
  }
  return false;
}

const VALUE_KEYS: ReadonlySet<string> = new Set(["value", "default_value"]);

/** All values below, except in lists of named ones, whose names and options stay readable. */
function hide(node: ConfigNode, replaceKnown: (text: string) => string): ConfigNode {
  switch (node.is) {
    case "map":
      return { is: "map", entries: new Map([...node.entries].map(([key, value]) => [key, hide(value, replaceKnown)])) };
    case "list":
      return { is: "list", items: node.items.map((item) => hideItem(item, replaceKnown)) };
    case "plain":
      return isNullSource(node.source) || isBooleanSource(node.source) ? node : hideText(node.source);
    case "text":
    case "tagged":
      return hideText(node.value);
  }
}

function hideItem(item: ConfigNode, replaceKnown: (text: string) => string): ConfigNode {
  if (item.is !== "map" || !["name", "key"].some((key) => item.entries.has(key))) return hide(item, replaceKnown);
  const entries = [...item.entries].map(([key, value]) => {
    return [key, VALUE_KEYS.has(key) ? hide(value, replaceKnown) : redactTree(value, replaceKnown)] as const;
  });
  return { is: "map", entries: new Map(entries) };
}

function hideText(value: string): ConfigNode {
  return text(value === "" || isOnlyReference(value) ? value : REDACTED);
}
