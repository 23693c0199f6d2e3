/** Starts the stand-in with a configuration and lets a test watch it. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Standin {
  readonly child: ChildProcess;
  /** Resolves once stderr holds the text. */
  output(text: string): Promise<void>;
  /** Resolves with the exit code or the signal. */
  readonly exit: Promise<number | string>;
  readonly stderr: () => string;
}

/** The process is killed and its directory removed when the test is over. */
export function startStandin(executable: string, config: string, onTestFinished: (clean: () => void) => void, args: readonly string[] = []): Standin {
  const directory = mkdtempSync(join(tmpdir(), "standin-run-"));
  writeFileSync(join(directory, "config.yaml"), config);
  const child = spawn(executable, [...args, "--config", "config.yaml"], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
    for (const check of waiting) check();
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? ""));
  });
  const output = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!stderr.includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { child, output, exit, stderr: () => stderr };
}
