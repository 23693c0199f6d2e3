/** The end of a log file, for the reason of a failure. */
import { open, type FileHandle } from "node:fs/promises";
import { cleanText, lastLines } from "./clean-text.js";

const NEWLINE = 0x0a;
const LONGEST_CHARACTER_BYTES = 4;
/** The stacks of some hundred goroutines. */
const CAUSE_BYTES_MAX = 256 * 1024;
const CAUSE_CHARS_MAX = 500;

export interface TailOptions {
  readonly path: string;
  /** Nothing before this offset, unless the file has become shorter than that. */
  readonly from: number;
  readonly bytesMax: number;
  readonly linesMax: number;
}

/** The last whole lines, cleaned, below the line that names the cause of a crash; "" when there are none or the file cannot be read. */
export async function readTail({ path, from, bytesMax, linesMax }: TailOptions): Promise<string> {
  if (bytesMax <= 0) return "";
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const begin = from <= size ? from : 0;
      // One byte more: where that ends a line, what follows is whole.
      const start = Math.max(begin, size - bytesMax - 1);
      const bytes = await readFrom(file, start, size);
      const tail = lastLines(cleanText(start > begin ? fromNextLine(bytes) : bytes), bytesMax, linesMax);
      const cause = causeOf(cleanText(await readFrom(file, Math.max(begin, size - CAUSE_BYTES_MAX), size)));
      return cause === null || tail.includes(cause) ? tail : `${cause}\n…\n${tail}`;
    } finally {
      await file.close();
    }
  } catch {
    // No output file is no reason to hide what the reader is about to report.
    return "";
  }
}

async function readFrom(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

/** A program in Go that crashes prints the cause first, and then the stack of each goroutine, which fills every tail. */
function causeOf(text: string): string | null {
  const cause = /^(?:panic: |fatal error: |runtime: out of memory).*$/m.exec(text)?.[0];
  return cause === undefined ? null : cause.slice(0, CAUSE_CHARS_MAX);
}

/** Cut at a line's begin; where there is only one endless line its end is better than nothing. */
function fromNextLine(bytes: Buffer): Buffer {
  const newline = bytes.indexOf(NEWLINE);
  if (newline >= 0 && newline < bytes.length - 1) return bytes.subarray(newline + 1);
  let start = 0;
  // Not in the middle of a character.
  while (start < LONGEST_CHARACTER_BYTES && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return Buffer.concat([Buffer.from("…"), bytes.subarray(start)]);
}
