/** A mistake in a YAML file, at an offset of its text; whoever knows the file's name makes a message of it. */
export class YamlProblem extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** Where a node of the YAML library begins; 0 when it does not know. */
export function offsetOf(node: unknown): number {
  if (typeof node !== "object" || node === null || !("range" in node)) return 0;
  const { range } = node;
  if (!Array.isArray(range)) return 0;
  const first: unknown = range[0];
  return typeof first === "number" ? first : 0;
}
