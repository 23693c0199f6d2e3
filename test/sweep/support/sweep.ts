/** Works through many points with several hosts at a time, and goes on after a failure, so that one run shows all of them. */
import { SweptHost } from "./swept-host.js";

/** After so many the rest would say the same. */
const FAILURES_MAX = 12;
const LINES_MAX = 15;

export interface Sweep<P> {
  readonly points: readonly P[];
  /** How many hosts at a time. */
  readonly hosts: number;
  readonly wordsOf: (point: P) => string;
  /** A host with which this fails is not used again. */
  readonly visit: (host: SweptHost, point: P) => Promise<void>;
}

/** Answers with what failed, in words. */
export async function sweep<P>({ hosts, points, visit, wordsOf }: Sweep<P>): Promise<string[]> {
  const queue = [...points];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    let host: SweptHost | null = null;
    for (let point = queue.shift(); point !== undefined && failures.length < FAILURES_MAX; point = queue.shift()) {
      host ??= await SweptHost.create();
      try {
        await visit(host, point);
      } catch (error) {
        const last = host.diagnosis().trimEnd().split("\n").slice(-LINES_MAX).join("\n");
        failures.push(`${wordsOf(point)}: ${String(error)}\n${last}\n`);
        host = null;
      }
    }
  };
  await Promise.all(Array.from({ length: hosts }, work));
  return failures;
}
