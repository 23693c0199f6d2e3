/** Keeps the begin or the end of a stream, whatever its length. */
import { cleanText } from "./clean-text.js";

export class BoundedText {
  readonly #keep: "begin" | "end";
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #seen = 0;

  constructor(keep: "begin" | "end", bytesMax: number) {
    this.#keep = keep;
    this.#bytesMax = bytesMax;
  }

  /** The bytes that came by, kept or not. */
  get seen(): number {
    return this.#seen;
  }

  add(chunk: Buffer): void {
    this.#seen += chunk.length;
    if (this.#keep === "begin") {
      const room = this.#bytesMax - this.#bytes;
      if (room > 0) this.#push(chunk.subarray(0, room));
      return;
    }
    this.#push(chunk.subarray(Math.max(0, chunk.length - this.#bytesMax)));
    for (let first = this.#chunks[0]; first !== undefined && this.#bytes - first.length >= this.#bytesMax; first = this.#chunks[0]) {
      this.#chunks.shift();
      this.#bytes -= first.length;
    }
  }

  /** Cleaned for people. */
  text(): string {
    return cleanText(Buffer.concat(this.#chunks));
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }
}
