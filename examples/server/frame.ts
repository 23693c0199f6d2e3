/**
 * A WebSocket message of OpAMP is a varint header, always 0, and the protobuf bytes. This is deliberately not the codec
 * of the supervisor: two independent ones check each other in the tests.
 */
const HEADER_BYTES_MAX = 10;

/** The protobuf bytes of a message with its header; throws an `Error` that says what is malformed. */
export function unframe(message: Uint8Array): Uint8Array {
  for (let index = 0; index < HEADER_BYTES_MAX; index++) {
    const byte = message[index];
    if (byte === undefined) throw new Error("the message ends within its header");
    if ((byte & 0x7f) !== 0) throw new Error("the header of the message is not 0");
    if (byte < 0x80) return message.subarray(index + 1);
  }
  throw new Error(`the header of the message is longer than ${HEADER_BYTES_MAX} bytes`);
}

export function frame(body: Uint8Array): Uint8Array {
  const message = new Uint8Array(body.length + 1);
  message.set(body, 1);
  return message;
}
