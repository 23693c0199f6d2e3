/** What a health message of the Collector's extension amounts to. */
import type { ComponentHealth, Verdict } from "../core/values.js";

/** The outermost fields of a ComponentHealth. */
export interface HealthSummary {
  readonly healthy: boolean;
  readonly status: string;
  readonly lastError: string;
}

/**
 * A bare `healthy` (without a status of components) is what some starts begin with, right before the components
 * contradict it; it counts once this long has passed without that. Measured with v0.149.0: they come within a millisecond.
 */
export const BARE_HEALTHY_MS = 250;

/** `probably-healthy`: healthy unless contradicted within `BARE_HEALTHY_MS`. */
export function judge({ healthy, lastError, status }: HealthSummary, before: Verdict | null): Verdict | "probably-healthy" {
  switch (status) {
    case "StatusOK":
      return healthy ? "healthy" : "unhealthy";
    case "StatusStarting":
      return "starting";
    case "StatusStopping":
    case "StatusStopped":
      return "stopping";
    default:
      if (healthy) return "probably-healthy";
      if (status !== "" || lastError !== "") return "unhealthy";
      // A bare "not healthy" without any reason is how the extension says that it is not ready yet, or not any more.
      return before === null || before === "starting" ? "starting" : "stopping";
  }
}

const ERROR_CHARS_MAX = 2_000;
const COMPONENTS_MAX = 10_000;
const DEPTH_MAX = 32;

/** Why it is unhealthy: the first error of the innermost component that has one, with the way to it. */
export function errorOf(health: ComponentHealth): string {
  const findings: Finding[] = [];
  collect(health, [], findings, { left: COMPONENTS_MAX });
  const [first] = findings;
  if (first === undefined) return health.status === "" ? "it reports to be unhealthy" : `it reports ${health.status}`;
  const others = new Set(findings.map(({ error }) => error)).size - 1;
  const where = first.path.length === 0 ? "" : `${first.path.join(", ")}: `;
  const more = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "error" : "errors"})`;
  return `${where}${first.error.slice(0, ERROR_CHARS_MAX)}${first.error.length > ERROR_CHARS_MAX ? "…" : ""}${more}`;
}

interface Finding {
  readonly path: readonly string[];
  readonly error: string;
}

/** True when this component or one inside it has an error. An outer error repeats the inner one. */
function collect(health: ComponentHealth, path: readonly string[], findings: Finding[], budget: { left: number }): boolean {
  let found = false;
  for (const name of Object.keys(health.componentHealthMap).sort()) {
    const inner = health.componentHealthMap[name];
    if (inner === undefined || budget.left <= 0 || path.length >= DEPTH_MAX) break;
    budget.left -= 1;
    if (collect(inner, [...path, name], findings, budget)) found = true;
  }
  if (found) return true;
  if (health.lastError !== "") findings.push({ path, error: health.lastError });
  else if (!health.healthy && path.length > 0 && isLeaf(health) && isFailing(health.status)) findings.push({ path, error: health.status });
  else return false;
  return true;
}

function isLeaf({ componentHealthMap }: ComponentHealth): boolean {
  return Object.keys(componentHealthMap).length === 0;
}

function isFailing(status: string): boolean {
  return /Error$/.test(status);
}
