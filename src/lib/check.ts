/** Assertions for bugs. What the world does wrong is an event or a `SupervisorError`, never this. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** Throws a `Bug` when `condition` does not hold. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** For the end of a `switch` over a union: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`);
}
