/** Instance uids: 16 bytes on the wire, canonical text everywhere else. */

const UID_BYTES = 16;

export function uidToBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
}

/** Null for anything that cannot be an instance uid: another length, or all zero (UID-08, AMB-28). */
export function uidFromBytes(bytes: Uint8Array): string | null {
  if (bytes.length !== UID_BYTES || bytes.every((byte) => byte === 0)) return null;
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
