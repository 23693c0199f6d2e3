/** Counts what the kill test met: which courses, how they ended, and in which phases the supervisor was killed. */
import type { Kind } from "./changes.js";
import type { SeenStatus } from "./seen-agent.js";

/** The log line that was the last one before the kill, and what went on then. */
const phases: readonly (readonly [line: string, phase: string])[] = [
  ["Supervisor starting", "nothing runs yet"],
  ["Remote configuration received", "being validated"],
  ["Collector stops", "Collector being stopped"],
  ["Collector is stopped", "between stop and start"],
  ["Collector starts", "Collector starting"],
  ["Collector ended unasked", "Collector crashed"],
  ["Collector is healthy", "Collector healthy"],
  ["Remote configuration applied", "after APPLIED"],
  ["Remote configuration failed", "after FAILED"],
];

export class KillTally {
  kills = 0;
  readonly #courses = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  readonly #inChange = new Map<string, number>();
  readonly #inStart = new Map<string, number>();

  course(kind: Kind, isTwice: boolean, { error, is }: SeenStatus): void {
    count(this.#courses, isTwice ? `${kind} after another` : kind);
    count(this.#outcomes, error.startsWith("the supervisor ended") ? "given up" : is);
  }

  /** @param log what the killed one printed since the offer, or since its start where it was started in the middle */
  kill(log: string, isStart: boolean): void {
    this.kills++;
    const last = log.split("\n").findLast((line) => phases.some(([words]) => line.includes(`"${words}"`))) ?? "";
    const phase = phases.find(([words]) => last.includes(`"${words}"`))?.[1] ?? "not a word yet";
    count(isStart ? this.#inStart : this.#inChange, phase);
  }

  summary(): string {
    return [
      `${this.kills} kills; courses: ${words(this.#courses)}; outcomes: ${words(this.#outcomes)}`,
      `killed during a change: ${words(this.#inChange)}`,
      `killed again after the next start: ${words(this.#inStart)}`,
    ].join("\n");
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function words(counts: ReadonlyMap<string, number>): string {
  return [...counts].toSorted(([, one], [, other]) => other - one).map(([name, number]) => `${name} ${number}`).join(", ");
}
