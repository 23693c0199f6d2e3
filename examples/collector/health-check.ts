/** The `health_check` extension: 503 until the pipelines run and again once they stop, 200 between. */
import { createServer, type Server } from "node:http";
import { systemClock } from "../../src/lib/clock.js";
import type { ComponentLog, Part } from "./extension.js";
import { closeServer, listen } from "./listen.js";
import { plain, type ConfigMap } from "./value.js";
import { textAt } from "./settings.js";

const NEVER = "0001-01-01T00:00:00Z";

export function healthCheck(id: string, settings: ConfigMap, log: ComponentLog): Part {
  const endpoint = textAt(settings, "endpoint");
  const path = textAt(settings, "path");
  let upSince: number | null = null;
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://standin");
    if (path !== "/" && pathname !== path) {
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("404 page not found\n");
      return;
    }
    response.writeHead(upSince === null ? 503 : 200, { "Content-Type": "application/json" }).end(body(settings, upSince));
  });
  return {
    id,
    async start() {
      log("info", `Starting ${id.split("/", 1)[0] ?? ""} extension`, { config: { NetAddr: { Endpoint: endpoint, Transport: "tcp" }, Path: path } });
      const listening = await listen(server, endpoint);
      return listening.ok ? null : `failed to bind to address ${endpoint}: ${listening.error}`;
    },
    ready() {
      upSince = Number(systemClock.unixNano() / 1_000_000n);
      log("info", "Health Check state change", { status: "ready" });
    },
    notReady() {
      upSince = null;
      log("info", "Health Check state change", { status: "unavailable" });
      return Promise.resolve();
    },
    stop: () => closeServer(server),
  };
}

function body(settings: ConfigMap, upSince: number | null): string {
  const custom = plain(settings.get("response_body") ?? null);
  if (custom instanceof Map) return textAt(custom, upSince === null ? "unhealthy" : "healthy");
  if (upSince === null) return JSON.stringify({ status: "Server not available", upSince: NEVER, uptime: "" });
  const now = Number(systemClock.unixNano() / 1_000_000n);
  return JSON.stringify({ status: "Server available", upSince: new Date(upSince).toISOString(), uptime: `${(now - upSince) / 1000}s` });
}
