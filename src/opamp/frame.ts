/**
 * One WebSocket message of OpAMP: a varint header that is always 0, then protobuf bytes. Empty data is a valid message
 * with all fields unset. See "WebSocket Message Format" of the specification.
 */
const HEADER_BYTES_MAX = 10;
const CONTINUES = 0x80;
const VALUE_BITS = 0x7f;

/** What stood in one WebSocket message: the protobuf bytes, or why it is malformed. */
export type Frame =
  | { readonly is: "data"; readonly data: Uint8Array }
  | { readonly is: "malformed"; readonly reason: string };

/** The header is exactly one zero byte. */
export function encodeFrame(data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(data.length + 1);
  frame.set(data, 1);
  return frame;
}

/** A zero that is written longer than needed is accepted; the returned data is a view, not a copy. */
export function decodeFrame(frame: Uint8Array): Frame {
  let value = 0;
  for (let index = 0; index < HEADER_BYTES_MAX; index++) {
    const byte = frame[index];
    if (byte === undefined) {
      return malformed(index === 0 ? "the message is empty, its header byte is missing" : "the header is cut off");
    }
    value |= byte & VALUE_BITS;
    if ((byte & CONTINUES) !== 0) continue;
    return value === 0
      ? { is: "data", data: frame.subarray(index + 1) }
      : malformed(`the header is not zero (first byte 0x${hex(frame[0] ?? 0)})`);
  }
  return malformed(`the header is longer than ${HEADER_BYTES_MAX} bytes`);
}

function malformed(reason: string): Frame {
  return { is: "malformed", reason };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
