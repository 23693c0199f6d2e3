/**
 * One row of the bench: something that is measured in alternation for our program, the Go supervisor and a bare
 * process, and compared with a limit that comes from the bare process of the same run.
 */
import type { Leftovers } from "./leftovers.js";

export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** Minutes, not seconds: left out by `--quick`. */
  readonly isSlow?: boolean;
  /** Rejects when there is nothing to compare. */
  measure(bench: Bench): Promise<readonly Finding[]>;
}

export type SupervisorName = "ours" | "go";

/** A supervisor and how it is started, without `--config`. */
export interface SupervisorProgram {
  readonly name: SupervisorName;
  readonly command: readonly [string, ...string[]];
}

export interface Bench {
  readonly runs: number;
  /** The real Collector, an absolute path. */
  readonly collector: string;
  /** The stand-in, for what cannot be had of a real one. */
  readonly standIn: string;
  /** Ours, then Go's where it is there. */
  readonly supervisors: readonly SupervisorProgram[];
  readonly leftovers: Leftovers;
  /** A sentence that belongs beside the figures. */
  note(text: string): void;
}

export type Unit = "ms" | "MB" | "%" | "starts" | "files";

/** Infinity stands for a sample that did not come in time. */
export type Samples = readonly number[];

export interface Finding {
  readonly what: string;
  readonly unit: Unit;
  readonly ours: Samples;
  /** Empty: there is no Go supervisor. */
  readonly go: Samples;
  /** The bare process of the same run; null where the limit needs none. */
  readonly bare: { readonly what: string; readonly samples: Samples } | null;
  /** What the median of ours must be below, and in which words; null: nothing to hold, or nothing to compute it from. */
  readonly limit: { readonly value: number; readonly words: string } | null;
}
