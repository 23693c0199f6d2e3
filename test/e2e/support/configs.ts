/** Configurations that tests send. */
export { nopPipeline } from "../../interop/support/configs.js";

/** A working pipeline whose Collector misbehaves; the name makes it a different one. */
export function faulty(name: string, faults: Readonly<Record<string, string | number | boolean>>): string {
  return `receivers:
  nop/${name}:
exporters:
  nop/${name}:
extensions:
  standin_faults: ${JSON.stringify(faults)}
service:
  extensions: [standin_faults]
  pipelines:
    logs/${name}:
      receivers: [nop/${name}]
      exporters: [nop/${name}]
`;
}

export function otlpReceiver(port: number): string {
  return `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {nop: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}
`;
}
