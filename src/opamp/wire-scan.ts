/**
 * Looks at the outermost fields of a protobuf message without decoding what is inside them. A large health tree costs
 * milliseconds to decode and microseconds to look at.
 */
export interface WireField {
  readonly number: number;
  /** The whole field with its tag, as it stands in the message. */
  readonly whole: Uint8Array;
  /** Varint fields: the value, as far as it is a safe integer. */
  readonly value: number;
  /** Length-delimited fields: the content, a view. */
  readonly content: Uint8Array;
}

const NOTHING = new Uint8Array();
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const VARINT_BYTES_MAX = 10;

/** In the order of the wire; null when it is no protobuf message. */
export function scanFields(message: Uint8Array): WireField[] | null {
  const fields: WireField[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === null) return null;
    const number = Math.floor(tag.value / 8);
    const body = readBody(message, tag.next, tag.value % 8);
    if (body === null || number === 0) return null;
    fields.push({ number, whole: message.subarray(at, body.next), value: body.value, content: body.content });
    at = body.next;
  }
  return fields;
}

interface Body {
  readonly value: number;
  readonly content: Uint8Array;
  readonly next: number;
}

/** Groups (wire types 3 and 4) are not part of this protocol. */
function readBody(message: Uint8Array, at: number, type: number): Body | null {
  switch (type) {
    case VARINT: {
      const varint = readVarint(message, at);
      return varint === null ? null : { ...varint, content: NOTHING };
    }
    case DELIMITED: {
      const length = readVarint(message, at);
      if (length === null) return null;
      const next = length.next + length.value;
      return next > message.length ? null : { value: 0, content: message.subarray(length.next, next), next };
    }
    case FIXED64:
    case FIXED32: {
      const next = at + (type === FIXED64 ? 8 : 4);
      return next > message.length ? null : { value: 0, content: NOTHING, next };
    }
    default:
      return null;
  }
}

function readVarint(message: Uint8Array, at: number): { value: number; next: number } | null {
  let value = 0;
  let scale = 1;
  for (let index = at; index < at + VARINT_BYTES_MAX; index++) {
    const byte = message[index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: index + 1 };
    scale *= 128;
  }
  return null;
}
