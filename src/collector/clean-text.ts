/** Text that a Collector printed, made fit for a status message: valid, without terminal codes, and bounded. */

/** Colours and cursor movements. */
const ESCAPE_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|[@-_])/g;
/** Control characters but tab and newline, and what stands for bytes that were no UTF-8. */
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/g;

export function cleanText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return text.replaceAll("\r\n", "\n").replace(ESCAPE_SEQUENCES, "").replace(UNPRINTABLE, "");
}

/**
 * The last lines of a text: at most `linesMax`, and no more than `charsMax` characters. Only whole lines, unless the
 * last one alone is longer; then its end is kept behind an ellipsis.
 */
export function lastLines(text: string, charsMax: number, linesMax: number): string {
  const lines = text.trimEnd().split("\n");
  const kept: string[] = [];
  let chars = 0;
  for (let index = lines.length - 1; index >= 0 && kept.length < linesMax; index--) {
    const line = (lines[index] ?? "").trimEnd();
    chars += line.length + 1;
    if (chars > charsMax + 1) {
      if (kept.length === 0) kept.push(`…${line.slice(Math.max(0, line.length - charsMax + 1))}`);
      break;
    }
    kept.push(line);
  }
  return kept.reverse().join("\n").trimStart();
}
