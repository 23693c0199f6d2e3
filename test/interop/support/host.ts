/**
 * A host as a user has it: a directory with the Collector and supervisor.yaml, in which the built program is started as
 * a process of its own.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { processesNaming, processesOf } from "./processes.js";

const PROGRAM = fileURLToPath(new URL("../../../bin/opampsupervisor.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program {
  readonly pid: number;
  readonly exited: Promise<Ended>;
  output = "";
  /** How much of the output was shown already. */
  #shown = 0;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exited = once(child, "exit").then(() => ({ code: child.exitCode, signal: child.signalCode }));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
  }

  /** What it printed since the last call. */
  unseen(): string {
    const text = this.output.slice(this.#shown);
    this.#shown = this.output.length;
    return text;
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.exited;
  }
}

export class Host {
  readonly directory: string;
  readonly storage: string;
  readonly #programs: Program[] = [];

  /** @param executable becomes `./otelcol`: a path to link to, or the text of a script. */
  static async create(executable: { path: string } | { script: string }): Promise<Host> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), "opampsupervisor-interop-")));
    const host = new Host(directory);
    if ("path" in executable) await symlink(executable.path, host.path("otelcol"));
    else {
      await writeFile(host.path("otelcol"), executable.script);
      await chmod(host.path("otelcol"), 0o755);
    }
    return host;
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.storage = join(directory, "storage");
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), "utf8");
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text);
  }

  /** `node bin/opampsupervisor.js --config=supervisor.yaml` in the directory of the host. */
  start(env: NodeJS.ProcessEnv = process.env): Program {
    const child = spawn(process.execPath, [PROGRAM, "--config=supervisor.yaml"], {
      cwd: this.directory,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const program = new Program(child);
    this.#programs.push(program);
    return program;
  }

  /** Process ids of the Collectors that run this host's configuration; short-lived calls of the binary are not among them. */
  collectors(): Promise<number[]> {
    return processesNaming(join(this.storage, "effective.yaml"), "validate");
  }

  /** What to read when a test failed, as far as it was not shown yet. */
  diagnosis(): string {
    return this.#programs.map((program, index) => `--- output of supervisor ${index + 1} ---\n${program.unseen()}`).join("\n");
  }

  /** Ends whatever is left, whoever started it, and removes the directory. */
  async remove(): Promise<void> {
    for (const pid of await processesOf(this.directory)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    await Promise.all(this.#programs.map((program) => program.exited));
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
