/** One turn of the core: observe, then decide, then note what is on trial by now. Pure; only `supervisor.ts` calls it. */
import { decide, type Decision } from "./decide.js";
import type { Event } from "./event.js";
import { observe } from "./observe.js";
import type { State } from "./state.js";
import { noteDeadline } from "./trials.js";
import type { Turn } from "./turn.js";

export function step(state: State, event: Event, turn: Turn): Decision {
  const decision = decide(observe(state, event, turn), turn);
  return { ...decision, state: noteDeadline(decision.state, turn) };
}
