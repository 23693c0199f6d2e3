/**
 * Ways to misbehave, on purpose: for tests, and for a person who wants to see what an agent does then. A mode belongs to
 * the whole server or to one agent; the agent's own goes first.
 */
import { z } from "zod";

const TIMES_MAX = 1_000_000;
const DELAY_MS_MAX = 3_600_000;
const OVERSIZED_BYTES_MAX = 256 * 1024 * 1024;

const times = z.int().min(1).max(TIMES_MAX).optional();

export const badModeSchema = z.discriminatedUnion("is", [
  /** Behave. */
  z.strictObject({ is: z.literal("none") }),
  /** Cut the connection at each message, without an answer and without a Close frame. */
  z.strictObject({ is: z.literal("drop"), times }),
  z.strictObject({ is: z.literal("delay"), ms: z.number().min(0).max(DELAY_MS_MAX), times }),
  /** Answer with bytes that are not protobuf. */
  z.strictObject({ is: z.literal("garbage"), times }),
  /** Answer with a text frame (an HTML page over plain HTTP). */
  z.strictObject({ is: z.literal("text"), times }),
  /** Refuse upgrades and requests with an HTTP status. Open WebSockets live on: see `dropConnections`. */
  z.strictObject({ is: z.literal("reject"), status: z.int().min(300).max(599), retryAfter: z.string().regex(/^[ -~]{0,100}$/).optional(), times }),
  /** Answer, then close. */
  z.strictObject({ is: z.literal("hang-up"), times }),
  /** Ask for the full state in each answer. */
  z.strictObject({ is: z.literal("full-state-storm"), times }),
  /** Attach the configuration to each answer, whatever the agent says. */
  z.strictObject({ is: z.literal("offer-storm"), times }),
  /** Listen and say nothing. */
  z.strictObject({ is: z.literal("silence"), times }),
  z.strictObject({ is: z.literal("unavailable"), retryAfterMs: z.number().min(0).nullable().default(null), times }),
  z.strictObject({ is: z.literal("bad-request"), times }),
  /** Answer with a well-formed message of this size. */
  z.strictObject({ is: z.literal("oversized"), bytes: z.int().min(1).max(OVERSIZED_BYTES_MAX), times }),
]);

export type BadMode = z.input<typeof badModeSchema>;
/** What was asked for and how often it is still due; null for ever. */
interface Active {
  readonly mode: BadMode;
  left: number | null;
}

const BEHAVE: BadMode = { is: "none" };

export class BadModes {
  #server: Active = { mode: BEHAVE, left: null };
  readonly #agents = new Map<string, Active>();

  set(mode: BadMode, uid?: string): void {
    const active = { mode, left: "times" in mode ? (mode.times ?? null) : null };
    if (uid === undefined) this.#server = active;
    else if (mode.is === "none") this.#agents.delete(uid);
    else this.#agents.set(uid, active);
  }

  get(uid?: string): BadMode {
    return (uid === undefined ? this.#server : this.#agents.get(uid))?.mode ?? BEHAVE;
  }

  /** The mode for one message, counted. `reject` is for requests and upgrades: see `takeReject`. */
  take(uid: string | null): BadMode {
    const own = uid === null ? undefined : this.#agents.get(uid);
    if (own !== undefined) return this.#count(own, uid);
    return this.#server.mode.is === "reject" ? BEHAVE : this.#count(this.#server, null);
  }

  /** The refusal that a request or an upgrade gets, if any. Who asks is known from a header only. */
  takeReject(uid: string | null): Extract<BadMode, { is: "reject" }> | null {
    const own = uid === null ? undefined : this.#agents.get(uid);
    const active = own?.mode.is === "reject" ? own : this.#server;
    const { mode } = active;
    if (mode.is !== "reject") return null;
    this.#count(active, active === own ? uid : null);
    return mode;
  }

  #count(active: Active, uid: string | null): BadMode {
    const { mode } = active;
    if (active.left === null) return mode;
    active.left--;
    if (active.left <= 0) this.set(BEHAVE, uid ?? undefined);
    return mode;
  }
}
