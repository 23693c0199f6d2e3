/**
 * What may go into a log line. Secrets are taken out by the name of the field, at any depth; errors become their text;
 * nothing is longer than a line should be.
 */
import { messageOf } from "./error.js";
import type { Fields } from "./log.js";

const TEXT_CHARS_MAX = 16_384;
const DEPTH_MAX = 6;
const ITEMS_MAX = 200;
const REDACTED = "[REDACTED]";

/** The line's own keys; a field of that name gets an underscore, so that no key stands there twice. */
const RESERVED = new Set(["level", "ts", "logger", "msg"]);

/** Compared without case, `-` and `_`; header names are shown, their values are not. */
const SECRET = /^(authorization|proxyauthorization|cookie|setcookie|.*(secret|token|password|passwd|apikey|privatekey|credential)s?|.*pem|body|bodies|configtext)$/;

export function safeFields(fields: Fields): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    safe[RESERVED.has(name) ? `${name}_` : name] = safeField(name, value, 0);
  }
  return safe;
}

function safeField(name: string, value: unknown, depth: number): unknown {
  const plainName = name.toLowerCase().replace(/[-_]/g, "");
  if (value === undefined || value === null) return value;
  if (SECRET.test(plainName)) return REDACTED;
  if (plainName.endsWith("headers")) return namesOnly(value);
  return safeValue(value, depth);
}

function namesOnly(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return REDACTED;
  return Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]));
}

function safeValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return value.length > TEXT_CHARS_MAX ? `${value.slice(0, TEXT_CHARS_MAX)}… (${value.length - TEXT_CHARS_MAX} more)` : value;
    case "bigint":
      return value.toString();
    case "function":
    case "symbol":
      return undefined;
    case "object":
      return value === null ? null : safeObject(value, depth);
    default:
      return value;
  }
}

function safeObject(value: object, depth: number): unknown {
  if (value instanceof Error) return safeValue(messageOf(value), depth);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth >= DEPTH_MAX) return "…";
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item: unknown) => safeValue(item, depth + 1));
    return value.length > ITEMS_MAX ? [...items, `… (${value.length - ITEMS_MAX} more)`] : items;
  }
  const entries = Object.entries(value).slice(0, ITEMS_MAX);
  return Object.fromEntries(entries.map(([name, inner]) => [name, safeField(name, inner, depth + 1)]));
}
