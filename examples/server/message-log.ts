/** The last messages of one agent, both ways, kept as they were and decoded only when somebody looks. */
import type { AgentToServer, ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";

export type LoggedMessage = {
  /** Counts all messages of this agent, so that a reader can ask for what is newer. */
  readonly number: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly bytes: number;
} & (
  | { readonly direction: "received"; readonly message: AgentToServer }
  | { readonly direction: "sent"; readonly message: ServerToAgent }
  /** What a bad mode did instead of an answer. */
  | { readonly direction: "misbehaved"; readonly what: string }
);

type Entry = LoggedMessage extends infer Each ? (Each extends LoggedMessage ? Omit<Each, "number"> : never) : never;

const MESSAGES_MAX = 300;
const LOG_BYTES_MAX = 16 * 1024 * 1024;

export class MessageLog {
  #messages: LoggedMessage[] = [];
  #bytes = 0;
  #count = 0;

  add(entry: Entry): void {
    this.#count++;
    this.#messages.push({ ...entry, number: this.#count });
    this.#bytes += entry.bytes;
    while (this.#messages.length > 1 && (this.#messages.length > MESSAGES_MAX || this.#bytes > LOG_BYTES_MAX)) {
      this.#bytes -= this.#messages.shift()?.bytes ?? 0;
    }
  }

  /** Oldest first. */
  since(number: number): readonly LoggedMessage[] {
    return this.#messages.filter((message) => message.number > number);
  }

  get count(): number {
    return this.#count;
  }
}
