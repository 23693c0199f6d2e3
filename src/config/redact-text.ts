/** Takes out of one text what is secret by its form, and every known secret value wherever it stands in the text. */
import { splitReferences, targetOf } from "./references.js";

export const REDACTED = "[REDACTED]";

/** Known secret values, with the reference that each is shown as. */
export type KnownValues = ReadonlyMap<string, string>;

export function redactText(value: string, replaceKnown: (text: string) => string): string {
  if (value.length < SECRET_CHARS_MIN) return value;
  let text = replaceKnown(value);
  if (text.includes("-----BEGIN")) text = text.replace(PRIVATE_KEY, REDACTED);
  if (text.includes("://")) text = text.replace(USER_INFO, redactUserInfo);
  if (text.includes(" ")) text = text.replace(CREDENTIALS, `$1 ${REDACTED}`);
  return text.includes("=") ? text.replace(ASSIGNMENT, `$1${REDACTED}`) : text;
}

/** A function that puts the references back for all known values that occur in `corpus`, the longest first. */
export function replacer(known: KnownValues, corpus: string): (text: string) => string {
  const found = [...known.keys()].filter((value) => corpus.includes(value)).sort((a, b) => b.length - a.length);
  if (found.length === 0) return (text) => text;
  const pattern = new RegExp(found.map((value) => value.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g");
  const replace = (text: string): string => text.replace(pattern, (value) => known.get(value) ?? REDACTED);
  // A value that happens to be a part of a reference, such as its default, must not be replaced inside of it.
  return (text) => splitReferences(text).map((part) => (part.is === "literal" ? replace(part.text) : part.source)).join("");
}

/** A value so short or so common tells nothing, and replacing it everywhere would only blur what is shown. */
export function isWorthHiding(value: string): boolean {
  return value.length >= SECRET_CHARS_MIN && !COMMON.test(value);
}

/** References without a default hold no secret; nor does a scheme in front of one, as in `Bearer ${env:TOKEN}`. */
export function isOnlyReference(value: string): boolean {
  const parts = splitReferences(value.replace(/^(?:Bearer|Basic|Token|Secret|ApiKey) /i, ""));
  return parts.length > 0 && parts.every((part) => part.is === "reference" && !hasDefault(part.body));
}

function hasDefault(body: string): boolean {
  const target = targetOf(body);
  return target.is === "variable" ? target.fallback !== null : target.is === "unknown";
}

const SECRET_CHARS_MIN = 6;
const COMMON = /^(?:[-+.]?[0-9.]{1,8}|localhost|127\.0\.0\.1|0\.0\.0\.0|default|production|staging|development|disabled|enabled|\[REDACTED\])$/i;
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;
const USER_INFO = /(\b[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/)((?:\$\{[^}\s]{0,500}\}|[^\s/?#"'<>$]){1,2000})@/g;
const CREDENTIALS = /\b(Bearer|Basic)\s+(?!\$\{)[A-Za-z0-9._~+/=-]{8,}/g;
const ASSIGNMENT =
  /\b((?:password|passwd|pwd|secret|client_secret|token|access_token|api[-_]?key|access[-_]?key|account[-_]?key|sharedaccesskey|accountkey|sig)=)(?!\$\{)[^\s;&"',]+/gi;

/** The name may stay, the password may not; a single part may be a key by itself. */
function redactUserInfo(_match: string, scheme: string, info: string): string {
  const literal = /^((?:\$\{[^}]*\}|[^:$])*):(.*)$/s.exec(info);
  if (literal === null) return `${scheme}${isOnlyReference(info) ? info : REDACTED}@`;
  const [, user = "", password = ""] = literal;
  return `${scheme}${user}:${isOnlyReference(password) ? password : REDACTED}@`;
}
