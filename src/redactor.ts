/**
 * What leaves the host about a configuration goes through here: reports, the composed text, the validator's words and the
 * last lines of the Collector. What cannot be redacted is withheld, never shown as it is.
 */
import { redactConfig } from "./config/compose.js";
import { EXTENSION_SECRET_VARIABLE } from "./config/variables.js";
import type { EffectiveFile } from "./core/values.js";
import { messageOf } from "./lib/error.js";
import type { Logger } from "./lib/log.js";

export interface RedactorOptions {
  /** The environment that the Collector's references are resolved in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

export class Redactor {
  readonly #options: RedactorOptions;
  #secret = "";

  constructor(options: RedactorOptions) {
    this.#options = options;
  }

  /** The secret of the current start: what the Collector prints must not show it. */
  hide(secret: string): void {
    this.#secret = secret;
  }

  /** @param composed the text that the Collector was given: it says what came from references. */
  async files(files: readonly EffectiveFile[], composed: string): Promise<EffectiveFile[]> {
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    return Promise.all(
      files.map(async (file) => ({ ...file, body: encoder.encode(await this.#redact(decoder.decode(file.body), composed, "config")) })),
    );
  }

  /** Lines of a log or of a validator, which keep their form. */
  async output(text: string, composed: string): Promise<string> {
    return text === "" ? "" : this.#redact(text, composed, "output");
  }

  async #redact(reported: string, composed: string, kind: "config" | "output"): Promise<string> {
    const env = { ...this.#options.env, [EXTENSION_SECRET_VARIABLE]: this.#secret };
    try {
      return await redactConfig({ reported, composed, kind, env });
    } catch (error) {
      this.#options.log.error("Report cannot be redacted and is withheld", { error: messageOf(error) });
      return "# withheld: it could not be redacted\n";
    }
  }
}
