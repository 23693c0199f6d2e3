/** Bytes to whole lines. A line that is too long is handed on cut, once, and its rest is skipped. */

export const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const CUT_MARK = Buffer.from(" … (line cut)");

export class LineSplitter {
  readonly #onLine: (line: Uint8Array) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  constructor(onLine: (line: Uint8Array) => void) {
    this.#onLine = onLine;
  }

  /** The chunk may be reused by the caller afterwards. */
  add(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, start);
      this.#keep(chunk.subarray(start, newline < 0 ? chunk.length : newline));
      if (newline < 0) return;
      this.end();
      start = newline + 1;
    }
  }

  /** The line is over, even without a newline. */
  end(): void {
    if (this.#bytes > 0 && !this.#skipping) this.#onLine(Buffer.concat(this.#parts));
    this.#parts = [];
    this.#bytes = 0;
    this.#skipping = false;
  }

  #keep(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    const room = LINE_BYTES_MAX - this.#bytes;
    // A copy: the chunk belongs to the caller.
    this.#parts.push(Buffer.from(part.subarray(0, room)));
    this.#bytes += Math.min(part.length, room);
    if (part.length <= room) return;
    this.#onLine(Buffer.concat([...this.#parts, CUT_MARK]));
    this.#parts = [];
    this.#skipping = true;
  }
}
