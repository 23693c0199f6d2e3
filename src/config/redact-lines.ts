/**
 * For texts that are no YAML, such as the last lines of the Collector's output: hides secrets line by line and keeps
 * everything else as it is.
 */
import { isSecretKey } from "./redact-keys.js";
import { isOnlyReference, REDACTED, redactText } from "./redact-text.js";

export function redactLines(value: string, replaceKnown: (text: string) => string): string {
  const whole = redactText(value, replaceKnown);
  let hiddenIndent: number | null = null;
  const lines = whole.split("\n").map((line) => {
    const indent = line.length - line.trimStart().length;
    // What belongs to a secret key may go on in deeper lines.
    if (hiddenIndent !== null && line.trim() !== "" && indent > hiddenIndent) return `${line.slice(0, indent)}${REDACTED}`;
    if (line.trim() !== "") hiddenIndent = null;
    const redacted = line.replace(ASSIGNED, hideValue);
    const opened = OPENING.exec(line.trimEnd())?.[1];
    if (opened !== undefined && isSecretKey(opened)) hiddenIndent = indent;
    return redacted;
  });
  return lines.join("\n");
}

/** `key: value`, `"key":"value"` and `key=value`; a quoted value ends at its quote. */
const ASSIGNED = /((["'\\]{0,4})([A-Za-z][A-Za-z0-9_.-]{0,80})\2\s*[:=]\s*)(\\?"(?:[^"\\]|\\(?!")[^])*\\?"|'[^']*'|[^\s,;&"'}\]][^,;&}\]\n]*)/g;
/** A key at the end of a line, with or without the mark of a block. */
const OPENING = /(?:^|[\s"'-])([A-Za-z][A-Za-z0-9_.-]{0,80})["']?\s*:\s*(?:[|>][-+0-9]*)?$/;

function hideValue(match: string, lead: string, _quote: string, key: string, value: string): string {
  if (!isSecretKey(key)) return match;
  const open = /^\\?["']/.exec(value)?.[0] ?? "";
  const bare = open === "" ? value : value.slice(open.length, -open.length);
  return isOnlyReference(bare.trim()) || bare === REDACTED ? match : `${lead}${open}${REDACTED}${open}`;
}
