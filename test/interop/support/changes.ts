/** The configurations of the kill test: every kind that a supervisor meets, each with what has to become of it. */

export type Kind = "good" | "refused" | "crashing" | "empty";

/** One configuration that the server offers. */
export interface Change {
  readonly kind: Kind;
  /** Stands in it, so that no two are the same, and can be read off what runs. */
  readonly name: string;
  readonly body: string;
}

export interface Ports {
  /** Nobody else uses it. Every good one opens it, so that two Collectors at once cannot go unnoticed. */
  readonly free: number;
  /** The test holds it. */
  readonly taken: number;
}

export function change(kind: Kind, name: string, ports: Ports): Change {
  return { kind, name, body: bodies[kind](name, ports) };
}

/** What shows that it runs; nothing for an empty one and for null, the local configuration. */
export function marksOf(one: Change | null): readonly string[] {
  return one === null || one.kind === "empty" ? [] : [`nop/${one.name}`];
}

/** The same of a text, in whatever form the configuration is shown. */
export function marksIn(text: string): readonly string[] {
  return [...new Set(text.match(/nop\/\w+/g))].toSorted();
}

const bodies: Readonly<Record<Kind, (name: string, ports: Ports) => string>> = {
  good: (name, { free }) => otlpPipeline(name, free),
  refused: (name, { free }) => otlpPipeline(name, free).replace("receivers:\n", "receivers:\n  no_such_receiver:\n"),
  crashing: (name, { taken }) => otlpPipeline(name, taken),
  // Nothing but a comment, so that its hash is its own.
  empty: (name) => `# ${name}\n`,
};

/** Not 127.0.0.1: there another program may be given the port while no Collector holds it. */
function otlpPipeline(name: string, port: number): string {
  return `receivers:
  otlp/${name}:
    protocols:
      http:
        endpoint: 127.0.0.2:${port}
exporters:
  nop/${name}:
service:
  pipelines:
    logs/${name}:
      receivers: [otlp/${name}]
      exporters: [nop/${name}]
`;
}
