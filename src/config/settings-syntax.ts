/**
 * What the YAML parser found, in words for a person who did not write a parser. The library's own texts quote the file in
 * some cases, and a settings file holds secrets.
 */
export function syntaxText(code: string, message: string): string {
  return `not valid YAML: ${TEXTS.get(code) ?? lowerFirst(withoutQuotation(message))}`;
}

const TEXTS: ReadonlyMap<string, string> = new Map([
  ["TAB_AS_INDENT", "a tab is used for indentation; use spaces"],
  ["BAD_INDENT", "this line is indented differently from its neighbours; line it up with the keys of the same level"],
  ["BLOCK_AS_IMPLICIT_KEY", '"key: value" inside a value; quote the value when it holds ": ", or line up the next line with its neighbours'],
  ["MULTILINE_IMPLICIT_KEY", 'a key without a colon; expected "key: value"'],
  ["BAD_SCALAR_START", "the value starts with a character that has a meaning in YAML; put the value in quotes"],
  ["UNEXPECTED_TOKEN", "something that does not belong here; put the value in quotes when it is a text"],
  ["BAD_DQ_ESCAPE", "an unknown escape in a double-quoted text; use single quotes, or double the backslash"],
  ["TAG_RESOLVE_FAILED", "an unknown tag (!); put the value in quotes when it is a text"],
  ["UNCLOSED_QUOTE", "the quote that begins here is never closed"],
  ["RESOURCE_EXHAUSTION", "nested too deeply"],
]);

function withoutQuotation(message: string): string {
  const colon = message.indexOf(": ");
  return colon < 0 ? message : message.slice(0, colon);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
