/**
 * The loop. Each turn takes one event and runs in one order: remember, act, tell, sleep. A status leaves only after the
 * state behind it is on disk, and nothing but this file calls `step`.
 */
import { deadline } from "./core/deadline.js";
import type { Effect } from "./core/effect.js";
import type { Event } from "./core/event.js";
import { memory, memoryOfRest, sameMemory, type Memory } from "./core/memory.js";
import { report, type Report } from "./core/report.js";
import type { State } from "./core/state.js";
import { step } from "./core/step.js";
import { isoTime, type Clock, type Millis } from "./lib/clock.js";
import { messageOf } from "./lib/error.js";
import type { Logger } from "./lib/log.js";
import type { Mailbox } from "./lib/mailbox.js";
import { news, type NewsLine } from "./news.js";
import { firstNews } from "./news-rollout.js";

/** Waking up later than this is a freeze: a stopped process, a paused machine, memory on a slow disk. */
const FROZEN_MS = 1_000;
/** So long the news of that time may take: the end of a process is told once its last words are read. */
const HEAR_MS = 1_000;

export interface SupervisorEdges {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** Keeps what the log says of decisions, for whoever looks later. */
  readonly record: (line: NewsLine) => void;
  readonly mailbox: Mailbox<Event>;
  /** Resolves when the memory is durable; rejects when it could not be saved, and the old one is still there. */
  readonly save: (memory: Memory) => Promise<void>;
  /** Starts the work and returns; the answer comes as an event. */
  readonly perform: (effect: Effect) => void;
  /** The newest belief of what the server should know; differences are the session's business. */
  readonly tell: (report: Report) => void;
}

export class Supervisor {
  readonly #edges: SupervisorEdges;
  #state: State;
  #saved: Memory;
  /** No deadline counts before: the loop was frozen, and what happened meanwhile may not be heard yet. */
  #heardAt: Millis = -Infinity;

  /**
   * @param state the first state
   * @param loaded the memory that is on disk; what the first state makes of it is saved in the first turn
   */
  constructor(state: State, loaded: Memory, edges: SupervisorEdges) {
    this.#state = state;
    this.#saved = loaded;
    this.#edges = edges;
  }

  get state(): State {
    return this.#state;
  }

  /** Runs until the core has finished. Rejects only for a bug. */
  async run(): Promise<void> {
    this.#publish(firstNews(this.#saved, this.#state));
    await this.#turn({ is: "settings-loaded", policy: this.#state.policy });
    while (!this.#state.finished) {
      await this.#turn(await this.#next());
    }
  }

  /** The next cause: what the edges posted, else the passing of time. */
  async #next(): Promise<Event> {
    const { clock, mailbox } = this.#edges;
    for (;;) {
      const event = mailbox.take();
      if (event !== undefined) return event;
      const due = deadline(this.#state);
      const wakeAt = due === null ? null : Math.max(due, this.#heardAt);
      if (wakeAt !== null && wakeAt <= clock.now()) return { is: "deadline-reached" };
      // Timers of the platform may fire a little early; then the loop simply sleeps once more.
      const cancel = wakeAt === null ? null : clock.after(wakeAt - clock.now(), () => mailbox.wake());
      await mailbox.arrival();
      cancel?.();
      if (wakeAt !== null) this.#noticeFreeze(wakeAt);
    }
  }

  /** Nothing was heard for a while: what happened meanwhile comes before what time alone would decide. */
  #noticeFreeze(expectedAt: Millis): void {
    const now = this.#edges.clock.now();
    if (now - expectedAt > FROZEN_MS) this.#heardAt = now + HEAR_MS;
  }

  async #turn(event: Event): Promise<void> {
    const beganAt = this.#edges.clock.now();
    await this.#react(event);
    this.#noticeFreeze(beganAt);
  }

  async #react(event: Event): Promise<void> {
    const effects = [...this.#step(event)];
    if (this.#mustSave()) effects.push(...this.#step(await this.#remember()));
    for (const effect of effects) {
      this.#edges.log.debug("Effect", { effect: effect.do, because: effect.because });
      this.#edges.perform(effect);
    }
    const told = report(this.#state);
    if (told !== null) this.#edges.tell(told);
  }

  #step(event: Event): readonly Effect[] {
    const { clock, log, random } = this.#edges;
    const before = this.#state;
    const decision = step(before, event, { now: clock.now(), random: random(), at: isoTime(clock) });
    this.#state = decision.state;
    log.debug("Event", { event: event.is, ...("attempt" in event ? { attempt: event.attempt } : {}) });
    this.#publish(news(before, decision.state));
    return decision.effects;
  }

  #publish(lines: readonly NewsLine[]): void {
    const { log, record } = this.#edges;
    for (const line of lines) {
      log[line.level](line.message, line.fields);
      record(line);
    }
  }

  /** While saving fails it is tried at its deadline only, so that a full disk does not make a busy loop. */
  #mustSave(): boolean {
    const { storage } = this.#state;
    if (storage.is === "failing") return storage.retryAt <= this.#edges.clock.now();
    return !sameMemory(this.#saved, memory(this.#state));
  }

  async #remember(): Promise<Event> {
    try {
      await this.#save(memory(this.#state));
      return { is: "memory-saved" };
    } catch (error) {
      // An offer that there is no room for must not keep the rest from being saved.
      const rest = memoryOfRest(this.#state);
      if (!sameMemory(this.#saved, rest)) await this.#save(rest).catch(() => undefined);
      return { is: "memory-not-saved", error: messageOf(error), isRestSaved: sameMemory(this.#saved, rest) };
    }
  }

  async #save(wanted: Memory): Promise<void> {
    await this.#edges.save(wanted);
    this.#saved = wanted;
  }
}
