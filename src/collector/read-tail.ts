/** The end of a log file, for the reason of a failure. */
import { open } from "node:fs/promises";
import { cleanText, lastLines } from "./clean-text.js";

const NEWLINE = 0x0a;
const LONGEST_CHARACTER_BYTES = 4;

export interface TailOptions {
  readonly path: string;
  /** Nothing before this offset, unless the file has become shorter than that. */
  readonly from: number;
  readonly bytesMax: number;
  readonly linesMax: number;
}

/** The last whole lines, cleaned; "" when there are none or the file cannot be read. Reads no more than it returns. */
export async function readTail({ path, from, bytesMax, linesMax }: TailOptions): Promise<string> {
  if (bytesMax <= 0) return "";
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const begin = from <= size ? from : 0;
      // One byte more: where that ends a line, what follows is whole.
      const start = Math.max(begin, size - bytesMax - 1);
      const buffer = Buffer.alloc(size - start);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
      const bytes = buffer.subarray(0, bytesRead);
      return lastLines(cleanText(start > begin ? fromNextLine(bytes) : bytes), bytesMax, linesMax);
    } finally {
      await file.close();
    }
  } catch {
    // No output file is no reason to hide what the reader is about to report.
    return "";
  }
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
