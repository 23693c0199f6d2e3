/** A server and a host with a quiet Collector, set up together and taken down together, for the tests of one story. */
import { afterAll, afterEach } from "vitest";
import { QUIET_YAML, supervisorYaml, type SupervisorYaml } from "./configs.js";
import { GoServer, type GoServerOptions } from "./go-server.js";
import { Host } from "./host.js";
import { needs } from "./needs.js";

export class Stage {
  readonly server: GoServer;
  readonly host: Host;

  constructor(server: GoServer, host: Host) {
    this.server = server;
    this.host = host;
  }

  async remove(): Promise<void> {
    await this.server.stop();
    await this.host.remove();
  }
}

export interface StageOptions {
  readonly scheme?: "ws" | "wss" | "http" | "https";
  readonly server?: GoServerOptions;
  readonly yaml?: Omit<SupervisorYaml, "endpoint">;
  readonly executable?: { path: string } | { script: string };
}

/** With wss or https the supervisor trusts the CA of the server by `ca_file`, unless `yaml.tls` says something else. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const scheme = options.scheme ?? "ws";
  const host = await Host.create(options.executable ?? { path: needs.collector });
  const secure = scheme === "wss" || scheme === "https";
  const server = await GoServer.start(needs.goServer, { ...options.server, ...(secure ? { caFile: host.path("ca.pem") } : {}) });
  const tls = secure ? { tls: ["ca_file: ca.pem"] } : {};
  await host.write("quiet.yaml", QUIET_YAML);
  await host.write("supervisor.yaml", supervisorYaml({ endpoint: server.endpoint(scheme), ...tls, ...options.yaml }));
  return new Stage(server, host);
}

/** Stages of a test file: taken down after it, and the output of their supervisors shown after a failure. */
export function stages(): (options?: StageOptions) => Promise<Stage> {
  const open: Stage[] = [];
  afterEach(({ task }) => {
    if (task.result?.state === "fail") for (const stage of open) console.error(stage.host.diagnosis());
  });
  afterAll(async () => {
    await Promise.all(open.map((stage) => stage.remove()));
  });
  return async (options) => {
    const stage = await setStage(options);
    open.push(stage);
    return stage;
  };
}
