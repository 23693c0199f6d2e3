/** Instance uids travel as 16 bytes and are shown, stored and addressed as the canonical text of a UUID. */
import { uuidv7obj } from "uuidv7";

const UID_BYTES = 16;

/** Null: not the 16 bytes that an instance uid must have, or all of them zero. */
export function uidText(bytes: Uint8Array): string | null {
  if (bytes.length !== UID_BYTES || bytes.every((byte) => byte === 0)) return null;
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function uidBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
}

export function newUid(): string {
  return uuidv7obj().toString();
}
