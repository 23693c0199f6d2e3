/** What the references of a composed text stand for, read here because a worker has neither environment nor business with files. */
import { readLocal } from "./layer-local.js";
import { allReferences, targetOf } from "./references.js";

export function referencedVariables(composed: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { body } of allReferences(composed)) {
    const target = targetOf(body);
    if (target.is !== "variable" || !Object.hasOwn(env, target.name)) continue;
    const value = env[target.name];
    if (value !== undefined) variables[target.name] = value;
  }
  return variables;
}

/** More files, or larger ones, are hidden only where the reference itself stood. */
const FILES_MAX = 32;
const FILE_BYTES_MAX = 256 * 1024;

export async function referencedFiles(composed: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { body } of allReferences(composed)) {
    const target = targetOf(body);
    if (target.is !== "file" || target.path in files || Object.keys(files).length >= FILES_MAX) continue;
    const local = await readLocal(`file:${target.path}`, {}, FILE_BYTES_MAX);
    if (local.is === "read") files[target.path] = local.text;
  }
  return files;
}
