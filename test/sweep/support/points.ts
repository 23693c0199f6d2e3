/** Which deaths are swept: from the recorded steps of a course to the points at which a supervisor is killed. */
import { HISTORY } from "../../../src/storage/names.js";
import { COURSES, CRASH, type Course } from "./courses.js";
import type { Loss } from "./disk.js";
import { wordsOf, type Step } from "./step.js";

/** Where a supervisor dies, and what then becomes of the disk. */
export interface Point {
  readonly course: Course;
  /** In words, and how many steps of the same words to let pass. */
  readonly step: string;
  readonly skip: number;
  /** Null: only the process dies. */
  readonly loss: Loss | null;
}

/** What the default does without: the history is no state, and what arrives is not known to be bad yet. */
export const LEFT_OUT = "but the first line of the history, and the arrival of the crashing configuration, which is swept in the other courses";

const LOSSES: readonly (Loss | null)[] = [null, "lost", "torn"];
/**
 * A life costs more than a second of a processor. So by default the supervisor dies once after each step (what is on the
 * disk before a step is what was there after the one before it), and the courses, which share many of their steps, share
 * out the kinds of death: those of a rollout, a refusal, a crash and an identity change.
 */
const DEFAULT: Readonly<Record<Step["does"], readonly [Loss | null, Loss | null, Loss | null, Loss | null]>> = {
  create: [null, "lost", null, null],
  write: ["torn", null, "lost", "torn"],
  cut: [null, null, null, null],
  sync: ["lost", null, "torn", "lost"],
  rename: ["torn", null, "lost", "torn"],
  remove: [null, null, null, null],
  "sync-directory": ["lost", null, "torn", "lost"],
};

/** @param all before and after each step, with each kind of loss. */
export function pointsOf(course: Course, steps: readonly Step[], all: boolean): Point[] {
  const counts = new Map<string, number>();
  const stored = steps.findIndex(({ does, phase }) => does === "sync-directory" && phase === "after");
  return steps.flatMap((step, index) => {
    const words = wordsOf(step);
    const skip = counts.get(words) ?? 0;
    counts.set(words, skip + 1);
    if (!all && isLeftOut(course, step, skip, index < stored)) return [];
    const losses = all ? LOSSES : step.phase === "after" ? [DEFAULT[step.does][COURSES.indexOf(course)] ?? null] : [];
    return losses.map((loss) => ({ course, step: words, skip, loss }));
  });
}

/** Said in what is printed: {@link LEFT_OUT}. */
function isLeftOut(course: Course, { name }: Step, skip: number, arrives: boolean): boolean {
  return (name === HISTORY && skip > 0) || (course === CRASH && arrives);
}

export function wordsOfPoint({ course, loss, skip, step }: Point): string {
  const time = skip === 0 ? "" : ` (number ${skip + 1})`;
  return `${course.name}, killed ${step}${time}${loss === null ? "" : `, unsynced ${loss}`}`;
}
