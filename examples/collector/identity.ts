/** Who this program says it is: never the real Collector, always the version whose behaviour was recorded. */
export const IDENTITY = {
  command: "otelcol-standin",
  version: "0.149.0",
  description: "stand-in for the OpenTelemetry Collector, for tests and the demo only: it does not process telemetry",
} as const;
