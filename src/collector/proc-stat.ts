/** The few fields of Linux's `/proc/PID/stat` that tell one process from another. See proc_pid_stat(5). */

export interface ProcStat {
  /** A zombie, or on its way out. */
  readonly dead: boolean;
  readonly group: number;
  /** Ticks since boot: together with pid and boot id it identifies a process for ever. */
  readonly startTicks: string;
}

/** Field numbers of the manual, counted from the state, which stands behind the name in parentheses. */
const STATE = 0;
const GROUP = 2;
const START_TICKS = 19;

/** Null when it is not in the known form. The name may hold blanks and parentheses, so fields count from its last one. */
export function parseProcStat(text: string): ProcStat | null {
  const fields = text.slice(text.lastIndexOf(")") + 1).trim().split(" ");
  const state = fields[STATE];
  const group = Number(fields[GROUP]);
  const startTicks = fields[START_TICKS];
  if (state === undefined || startTicks === undefined || !Number.isInteger(group) || !/^\d+$/.test(startTicks)) return null;
  return { dead: state === "Z" || state === "X" || state === "x", group, startTicks };
}
