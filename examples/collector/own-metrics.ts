/** The Collector's own metrics page, by default on localhost:8888. Only pull readers are served; others are ignored. */
import { createServer, type Server } from "node:http";
import { systemClock } from "../../src/lib/clock.js";
import { closeServer, listen } from "./listen.js";
import { plain, type ConfigMap, type ConfigValue } from "./value.js";
import { textAt } from "./settings.js";

/** Counted by the receivers: items accepted, by component and kind. */
export type Counters = Map<string, number>;

export interface MetricsPage {
  close(): Promise<void>;
}
export type OpenedMetrics = { readonly ok: true; readonly page: MetricsPage } | { readonly ok: false; readonly error: string };

export async function openMetrics(settings: ConfigMap, resource: Readonly<Record<string, string>>, counters: Counters): Promise<OpenedMetrics> {
  const servers: Server[] = [];
  const startedAt = systemClock.now();
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  for (const { host, port } of settings.get("level") === "None" ? [] : pullReaders(settings)) {
    const server = createServer((request, response) => {
      if (request.url?.split("?", 1)[0] !== "/metrics") {
        response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("404 page not found\n");
        return;
      }
      response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }).end(render(resource, counters, startedAt));
    });
    servers.push(server);
    const listening = await listen(server, `${host}:${port}`);
    if (!listening.ok) {
      await close();
      return { ok: false, error: `failed to create meter provider: binding address ${host}:${port} for Prometheus exporter: ${listening.error}` };
    }
  }
  return { ok: true, page: { close } };
}

function pullReaders(settings: ConfigMap): { readonly host: string; readonly port: string }[] {
  const readers = plain(settings.get("readers") ?? null);
  if (!Array.isArray(readers)) return [];
  return readers.flatMap((reader) => {
    const prometheus = walk(reader, ["pull", "exporter", "prometheus"]);
    if (prometheus === null) return [];
    return [{ host: textAt(prometheus, "host") || "localhost", port: textAt(prometheus, "port") || "8888" }];
  });
}

function walk(value: ConfigValue, path: readonly string[]): ConfigMap | null {
  let current = plain(value);
  for (const name of path) current = current instanceof Map ? plain(current.get(name) ?? null) : null;
  return current instanceof Map ? current : null;
}

function render(resource: Readonly<Record<string, string>>, counters: Counters, startedAt: number): string {
  const labels = Object.entries(resource)
    .map(([key, value]) => `${key.replaceAll(/[^a-zA-Z0-9_]/g, "_")}=${JSON.stringify(value)}`)
    .join(",");
  const lines = [
    "# HELP otelcol_process_uptime_seconds_total Uptime of the process",
    "# TYPE otelcol_process_uptime_seconds_total counter",
    `otelcol_process_uptime_seconds_total ${(systemClock.now() - startedAt) / 1000}`,
    "# HELP otelcol_process_memory_rss_bytes Total physical memory (resident set size)",
    "# TYPE otelcol_process_memory_rss_bytes gauge",
    `otelcol_process_memory_rss_bytes ${process.memoryUsage.rss()}`,
  ];
  for (const [name, value] of counters) lines.push(`${name} ${value}`);
  lines.push("# HELP target_info Target metadata", "# TYPE target_info gauge", `target_info{${labels}} 1`);
  return `${lines.join("\n")}\n`;
}
