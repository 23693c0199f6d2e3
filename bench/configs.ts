/** The Collector's configurations that the rows send. */

/** Its own metrics off, so that several Collectors do not fight for one port. */
export const QUIET_YAML = `service:
  telemetry:
    metrics:
      level: none
`;

/** An OTLP/HTTP receiver; the exporter's name makes two configurations differ. */
export function otlpYaml(port: number, exporter: string): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
  ${exporter}:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [${exporter}]
`;
}

/** The same as one file for a Collector that nobody supervises, and as a local layer. */
export function quietOtlpYaml(port: number, exporter: string): string {
  return `${otlpYaml(port, exporter)}  telemetry:\n    metrics:\n      level: none\n`;
}

/** About a megabyte: many pipelines, each with a filter processor of its own. */
export function largeYaml(port: number, name: string): string {
  const numbers = Array.from({ length: LARGE_PIPELINES }, (_, index) => String(index).padStart(4, "0"));
  return [
    "receivers:",
    "  otlp:",
    "    protocols:",
    "      http:",
    `        endpoint: 127.0.0.1:${port}`,
    "processors:",
    ...numbers.flatMap((number) => [
      `  filter/${name}_${number}:`,
      "    error_mode: ignore",
      "    traces:",
      "      span:",
      ...Array.from({ length: LARGE_CONDITIONS }, (_, index) => `        - 'attributes["http.route.${number}"] == "/shop/health/${number}/${index}"'`),
    ]),
    "exporters:",
    "  nop:",
    "service:",
    "  pipelines:",
    ...numbers.flatMap((number) => [
      `    traces/${number}:`,
      "      receivers: [otlp]",
      `      processors: [filter/${name}_${number}]`,
      "      exporters: [nop]",
    ]),
    "",
  ].join("\n");
}

const LARGE_PIPELINES = 400;
const LARGE_CONDITIONS = 34;
