/** One turn of the core: observe, then decide. Pure; only `supervisor.ts` calls it. */
import { decide, type Decision } from "./decide.js";
import type { Event } from "./event.js";
import { observe } from "./observe.js";
import type { State } from "./state.js";
import type { Turn } from "./turn.js";

export function step(state: State, event: Event, turn: Turn): Decision {
  return decide(observe(state, event, turn), turn);
}
