/** Writes a whole file or leaves the old one: the new content goes beside it and takes its name at the end. */
import { rename, rm, writeFile } from "node:fs/promises";

export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    await writeFile(temporary, content, { mode });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
