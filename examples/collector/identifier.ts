/** The rules for names of components and pipelines: `type` or `type/name`. */
import type { Signal } from "./catalog.js";

/** What is wrong with a component's id, or null. */
export function checkId(id: string): string | null {
  const slash = id.indexOf("/");
  const type = (slash < 0 ? id : id.slice(0, slash)).trim();
  if (type === "") return slash < 0 ? "id must not be empty" : `in ${JSON.stringify(id)} id: the part before / should not be empty`;
  if (slash >= 0 && id.slice(slash + 1).trim() === "") return `in ${JSON.stringify(id)} id: the part after / should not be empty`;
  if (!/^[a-zA-Z][0-9a-zA-Z_]{0,62}$/.test(type)) return `in ${JSON.stringify(id)} id: invalid character(s) in type ${JSON.stringify(type)}`;
  return null;
}

/** What is wrong with a pipeline's id, or null. */
export function checkPipelineId(id: string): string | null {
  if (id === "") return "id must not be empty";
  const signal = id.split("/", 1)[0] ?? "";
  if (id.includes("/") && id.slice(id.indexOf("/") + 1).trim() === "") return `in ${JSON.stringify(id)} id: the part after / should not be empty`;
  return signal === "profiles" || isSignal(signal) ? null : `in ${JSON.stringify(id)} id: unknown pipeline signal: ${JSON.stringify(signal)}`;
}

export function isSignal(word: string): word is Signal {
  return word === "logs" || word === "metrics" || word === "traces";
}
