/**
 * What the Collector reports is resolved: variables and files stand in it with their values. This puts the references back
 * and hides what is secret by its key or its form.
 */
import { SupervisorError } from "../lib/error.js";
import type { RedactJob } from "./compose-job.js";
import { redactLines } from "./redact-lines.js";
import { learnContent, restore } from "./redact-restore.js";
import { replacer } from "./redact-text.js";
import { redactTree } from "./redact-tree.js";
import { allReferences, targetOf } from "./references.js";
import { scalarText, type ConfigNode } from "./yaml-node.js";
import { printYaml } from "./yaml-print.js";
import { readYaml } from "./yaml-read.js";

export function redactReported(job: RedactJob): string {
  const known = knownValues(job);
  const reported = job.kind === "output" ? null : parse(job.reported);
  if (reported?.is !== "map") return redactLines(job.reported, replacer(known, job.reported));
  const restored = restore(reported, parse(job.composed) ?? undefined, known);
  const replaceKnown = replacer(known, corpusOf(restored));
  return printYaml(redactTree(restored, replaceKnown));
}

/** Each value is shown as the first reference that gave it. */
function knownValues({ composed, files, variables }: RedactJob): Map<string, string> {
  const known = new Map<string, string>();
  for (const { body, source } of allReferences(composed)) {
    const target = targetOf(body);
    if (target.is === "variable" && Object.hasOwn(variables, target.name)) learnContent(variables[target.name] ?? "", source, known, parse);
    if (target.is === "file" && Object.hasOwn(files, target.path)) learnContent(files[target.path] ?? "", source, known, parse);
  }
  return known;
}

function parse(text: string): ConfigNode | null {
  try {
    return readYaml(text, "the reported configuration");
  } catch (error) {
    if (error instanceof SupervisorError) return null;
    throw error;
  }
}

/** All texts of the tree, to find out cheaply which values occur at all. */
function corpusOf(root: ConfigNode): string {
  const texts: string[] = [];
  const visit = (node: ConfigNode): void => {
    if (node.is === "map") for (const value of node.entries.values()) visit(value);
    else if (node.is === "list") for (const item of node.items) visit(item);
    else texts.push(scalarText(node) ?? "");
  };
  visit(root);
  return texts.join("\n");
}
