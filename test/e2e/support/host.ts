/** A host as a user has it: a directory with a Collector (the stand-in) and supervisor.yaml. */
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import { processesNaming, processesOf } from "../../interop/support/processes.js";
import { QUIET_YAML } from "../../interop/support/configs.js";
import { SupervisorProcess, type StartOptions } from "./supervisor-process.js";

/** As they stand in supervisor.yaml; sections are merged with those that every test has. */
export interface Sections {
  readonly server?: object;
  readonly capabilities?: object;
  readonly agent?: object;
  readonly storage?: object;
  readonly telemetry?: object;
  readonly healthcheck?: object;
}

export class Host {
  readonly directory: string;
  readonly storage: string;
  readonly #supervisors: SupervisorProcess[] = [];

  /** With the stand-in as `./otelcol`, and `quiet.yaml`, which keeps it off port 8888. */
  static async create(): Promise<Host> {
    const host = new Host(await realpath(await mkdtemp(join(tmpdir(), "opampsupervisor-e2e-"))));
    await symlink(standIn(), host.path("otelcol"));
    await host.write("quiet.yaml", QUIET_YAML);
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

  async write(name: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), text);
    await chmod(this.path(name), mode);
  }

  /** supervisor.yaml, as the JSON that YAML includes. */
  async settings(endpoint: string, sections: Sections = {}): Promise<void> {
    const settings = {
      server: { endpoint, ...sections.server },
      capabilities: {
        accepts_remote_config: true,
        reports_remote_config: true,
        reports_effective_config: true,
        reports_health: true,
        accepts_restart_command: true,
        reports_own_metrics: false,
        ...sections.capabilities,
      },
      agent: { executable: "./otelcol", config_files: ["quiet.yaml"], ...sections.agent },
      storage: { directory: "./storage", ...sections.storage },
      ...(sections.telemetry === undefined ? {} : { telemetry: sections.telemetry }),
      ...(sections.healthcheck === undefined ? {} : { healthcheck: sections.healthcheck }),
    };
    await this.write("supervisor.yaml", `${JSON.stringify(settings, null, 2)}\n`);
  }

  start(options?: StartOptions): SupervisorProcess {
    const supervisor = new SupervisorProcess(this.directory, options);
    this.#supervisors.push(supervisor);
    return supervisor;
  }

  /** Process ids of the Collectors that run this host's configuration; short-lived calls of the binary are not among them. */
  collectors(): Promise<number[]> {
    return processesNaming(join(this.storage, "effective.yaml"), "validate");
  }

  /** All that was printed, for a person who looks at a failed test. */
  diagnosis(): string {
    return this.#supervisors.map(({ pid, stderr, stdout }) => `--- supervisor ${pid} ---\n${stdout}${stderr}`).join("\n");
  }

  /** Ends whatever is left, whoever started it, and removes the directory. */
  async remove(): Promise<void> {
    for (const supervisor of this.#supervisors) supervisor.signal("SIGKILL");
    for (const pid of await processesOf(this.directory)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    await Promise.all(this.#supervisors.map(({ ended }) => ended));
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function standIn(): string {
  return join(inject("program"), "examples/collector/standin-collector");
}
