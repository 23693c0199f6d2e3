/**
 * What is known of the Collector's executable: asked once, remembered on disk for the next life, and asked again when
 * somebody has replaced the file.
 */
import { describeExecutable, executableIdentity } from "./collector/describe.js";
import type { ExecutableFacts, RememberedFacts } from "./core/values.js";

/** `components`, `featuregate` and the probe of a large contrib build under load. */
const DESCRIBE_MS_MAX = 30_000;

export interface KnownExecutableOptions {
  /** Absolute. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of this very executable; null for nothing. */
  readonly remembered: RememberedFacts | null;
  readonly remember: (facts: RememberedFacts) => void;
}

export class KnownExecutable {
  readonly #options: KnownExecutableOptions;
  readonly #lifetime = new AbortController();
  #known: RememberedFacts | null;
  #asked: Promise<ExecutableFacts> | null = null;

  constructor(options: KnownExecutableOptions) {
    this.#options = options;
    this.#known = options.remembered;
  }

  /** Asks ahead where nothing is known, while the rest of the supervisor is set up. */
  askAhead(): void {
    if (this.#known !== null) return;
    this.#asked = this.#ask();
    // Whoever takes the answer takes the error too.
    this.#asked.catch(() => undefined);
  }

  /** Asks the executable. Rejects with code "executable" or "aborted". */
  async describe(): Promise<ExecutableFacts> {
    const asked = this.#asked ?? this.#ask();
    this.#asked = null;
    const executable = await asked;
    this.#known = { executable, description: null, components: null };
    this.#options.remember(this.#known);
    return executable;
  }

  /** The facts of the file as it is now; `isNew` when it had to be asked. Rejects as `describe`. */
  async current(): Promise<{ facts: ExecutableFacts; isNew: boolean }> {
    const identity = await executableIdentity(this.#options.path);
    if (this.#known?.executable.identity === identity) return { facts: this.#known.executable, isNew: false };
    return { facts: await this.describe(), isNew: true };
  }

  /** What its extension says in a run, for the next start. */
  learn(said: Partial<Pick<RememberedFacts, "description" | "components">>): void {
    if (this.#known === null) return;
    this.#known = { ...this.#known, ...said };
    this.#options.remember(this.#known);
  }

  close(): void {
    this.#lifetime.abort();
  }

  #ask(): Promise<ExecutableFacts> {
    const { env, path } = this.#options;
    return describeExecutable({ executable: path, env, timeoutMs: DESCRIBE_MS_MAX, signal: this.#lifetime.signal });
  }
}
