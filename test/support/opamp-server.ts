/** The example server as the fake server of tests: on a free port of the loopback address, with nothing on disk. */
import type { IncomingMessage } from "node:http";
import type { Agent } from "../../examples/server/agent.js";
import type { News } from "../../examples/server/fleet.js";
import { startOpampServer, type OpampServer, type OpampServerOptions } from "../../examples/server/opamp-server.js";
import type { ConfigFile } from "../../examples/server/remote-config.js";
import type { AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import { systemClock } from "../../src/lib/clock.js";

export interface TestServer extends OpampServer {
  /** Every message of every agent since the start, in order of arrival. */
  readonly received: readonly AgentToServer[];
  /** Every request and upgrade. */
  readonly requests: readonly Pick<IncomingMessage, "method" | "url" | "headers">[];
  /** Everything that happened, in order. */
  readonly news: readonly News[];
  /** The only agent; throws unless there is exactly one that is not gone. */
  agent(): Agent;
  /**
   * Resolves with the first result of `pick` that is not undefined, null or false, asked again at everything that
   * happens (a `pick` that throws has nothing yet); rejects, naming `what`, when there is none in time. A function for
   * `what` is asked only then, so that it can say what was there instead.
   */
  until<T>(pick: () => T | undefined | null | false, what: string | (() => string), timeoutMs?: number): Promise<T>;
}

const TIMEOUT_MS = 10_000;

export async function startTestServer(options: Partial<OpampServerOptions> = {}): Promise<TestServer> {
  const received: AgentToServer[] = [];
  const requests: TestServer["requests"][number][] = [];
  const news: News[] = [];
  const server = await startOpampServer({
    dataDirectory: null,
    host: "127.0.0.1",
    opampPort: 0,
    pagePort: null,
    otlpPort: null,
    onRequest: ({ method, url, headers }) => requests.push({ method, url, headers }),
    ...options,
  });
  server.fleet.on((one) => {
    news.push(one);
    if (one.is === "received") received.push(one.message);
  });
  return {
    ...server,
    received,
    requests,
    news,
    agent() {
      const agents = server.fleet.agents().filter((agent) => agent.gone === null);
      const [agent] = agents;
      if (agent === undefined || agents.length > 1) throw new Error(`expected one agent, there are ${agents.length}`);
      return agent;
    },
    until: (pick, what, timeoutMs = TIMEOUT_MS) => until(server, pick, what, timeoutMs),
  };
}

/** One nameless file, as a person types it into the page. */
export function oneFile(body: string): readonly ConfigFile[] {
  return [{ name: "", body, contentType: "text/yaml", role: "" }];
}

function until<T>(server: OpampServer, pick: () => T | undefined | null | false, what: string | (() => string), timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let thrown = "";
    const look = (): void => {
      let value: T | undefined | null | false;
      try {
        value = pick();
      } catch (error) {
        thrown = `; the last look threw: ${String(error)}`;
        return;
      }
      if (value === undefined || value === null || value === false) return;
      stopListening();
      cancel();
      resolve(value);
    };
    const cancel = systemClock.after(timeoutMs, () => {
      stopListening();
      reject(new Error(`waited ${timeoutMs} ms in vain for ${typeof what === "string" ? what : what()}${thrown}`));
    });
    const stopListening = server.fleet.on(look);
    look();
  });
}
