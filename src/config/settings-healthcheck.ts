/** `healthcheck`: the port decides whether there is an endpoint, as in Go. */
import type { Settings } from "./settings.js";
import type { Section } from "./settings-section.js";

export function readHealthcheck(section: Section): Settings["healthcheck"] {
  const endpoint = section.text("endpoint", "");
  const transport = section.text("transport", "tcp");
  if (!["", "tcp", "tcp4", "tcp6"].includes(transport)) {
    section.error("transport", `${section.shown("transport")} is not supported by this version; expected tcp`);
  }
  if (endpoint === "") return null;
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(endpoint);
  const port = /^[+-]?\d+$/.test(parts?.[3] ?? "") ? Number(parts?.[3]) : null;
  if (parts === null || port === null || port === 0) {
    // Go says nothing here, and a monitor that never gets an answer is hard to explain.
    section.warn("endpoint", `no port in ${section.shown("endpoint")}, so the health check is off; expected e.g. localhost:13134`);
    return null;
  }
  if (port < 0 || port > 65_535) {
    section.error("endpoint", `healthcheck::endpoint must contain a valid port number, got ${port}; expected e.g. localhost:13134`);
    return null;
  }
  return { host: parts[1] ?? parts[2] ?? "", port };
}
