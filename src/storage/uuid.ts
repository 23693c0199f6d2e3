/** UUID text in the forms that Go's parser takes, as canonical lower-case text. */
const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL = "00000000-0000-0000-0000-000000000000";

/** Null when it is none; the nil UUID identifies nobody and is none either. */
export function parseUuid(text: string): string | null {
  const bare = text.trim().toLowerCase().replace(/^urn:uuid:/, "").replace(/^\{(.*)\}$/, "$1");
  const dashed = /^[0-9a-f]{32}$/.test(bare)
    ? `${bare.slice(0, 8)}-${bare.slice(8, 12)}-${bare.slice(12, 16)}-${bare.slice(16, 20)}-${bare.slice(20)}`
    : bare;
  return CANONICAL.test(dashed) && dashed !== NIL ? dashed : null;
}
