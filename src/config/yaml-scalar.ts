/** What Go's YAML library makes of a plain scalar, as far as keys, comparisons and quoting depend on it. */

const NULLS: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const TRUES: ReadonlySet<string> = new Set(["true", "True", "TRUE"]);
const FALSES: ReadonlySet<string> = new Set(["false", "False", "FALSE"]);

/** Words that some reader of YAML takes for something else than a text; quoted on the way out to be safe with all. */
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|inf|nan)$/i;

/** Letters, digits and harmless signs; begins so that it can be neither a number nor an indicator. */
const UNDOUBTED_TEXT = /^[A-Za-z_/$][A-Za-z0-9_./$@+=-]*(?:[:{}]+[A-Za-z0-9_./$@+=-]+)*\}?$/;
const UNDOUBTED_CHARS_MAX = 500;

export function isNullSource(source: string): boolean {
  return NULLS.has(source);
}

export function isBooleanSource(source: string): boolean {
  return TRUES.has(source) || FALSES.has(source);
}

/** True where a text may be printed without quotes and every reader takes it for that text. */
export function isUndoubtedText(value: string): boolean {
  return value.length <= UNDOUBTED_CHARS_MAX && UNDOUBTED_TEXT.test(value) && !WORDS.test(value);
}

/**
 * The text that the Collector makes of a plain key. Go prints keys that are not texts (`8080: x`, `true: x`); where
 * its print differs from what was written (`0x10`, `~`, dates) the answer is null, and the key has to be quoted.
 */
export function keyOfPlain(source: string): string | null {
  if (TRUES.has(source)) return "true";
  if (FALSES.has(source)) return "false";
  if (isNullSource(source)) return null;
  if (/^[-+]?\.(?:inf|nan)$/i.test(source)) return null;
  if (!/^[-+.]?_*[0-9]/.test(source)) return source;
  if (isPlainNumber(source)) return source;
  return mayBeNumberOrDate(source) ? null : source;
}

/** Whole and fractional numbers that Go prints as they were written. */
function isPlainNumber(source: string): boolean {
  if (!/^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*[1-9])?$/.test(source) || source.length > 16) return false;
  const size = Math.abs(Number(source));
  return size === 0 ? source === "0" : size >= 1e-4;
}

function mayBeNumberOrDate(source: string): boolean {
  const bare = source.replaceAll("_", "");
  return (
    /^[-+]?0[xXoObB]?[0-9a-fA-F]*$/.test(bare) ||
    /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(bare) ||
    /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt ])/.test(source)
  );
}
