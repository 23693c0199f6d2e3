/**
 * The few ASN.1 shapes that an X.509 certificate is made of, in DER: every value is a tag, a length and its content.
 * Node can read certificates but not write them; a whole PKI library for two certificates would weigh more than this.
 */
export const der = {
  sequence: (...items: Buffer[]): Buffer => value(0x30, ...items),
  set: (...items: Buffer[]): Buffer => value(0x31, ...items),
  boolean: (flag: boolean): Buffer => value(0x01, Buffer.from([flag ? 0xff : 0])),
  /** An unsigned number, given by its bytes; DER wants the fewest, and a leading zero where the top bit is set. */
  integer(bytes: Uint8Array): Buffer {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start++;
    const trimmed = bytes.subarray(start);
    return value(0x02, (trimmed[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), trimmed);
  },
  bits: (bytes: Uint8Array, unusedBits = 0): Buffer => value(0x03, Buffer.from([unusedBits]), bytes),
  octets: (bytes: Uint8Array): Buffer => value(0x04, bytes),
  text: (text: string): Buffer => value(0x0c, Buffer.from(text, "utf8")),
  oid: (dotted: string): Buffer => value(0x06, Buffer.from(oidBytes(dotted))),
  time,
  /** `[n] EXPLICIT`: a wrapper around another value. */
  explicit: (number: number, ...items: Buffer[]): Buffer => value(0xa0 + number, ...items),
  /** `[n] IMPLICIT` of a primitive: the content under another tag. */
  implicit: (number: number, content: Uint8Array): Buffer => value(0x80 + number, content),
};

function value(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes = base256(length);
  return [0x80 + bytes.length, ...bytes];
}

function base256(number: number): number[] {
  return number < 256 ? [number] : [...base256(Math.floor(number / 256)), number % 256];
}

function oidBytes(dotted: string): number[] {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return [first * 40 + second, ...rest.flatMap(base128)];
}

function base128(number: number): number[] {
  const high = Math.floor(number / 128);
  return high === 0 ? [number] : [...base128(high).map((byte) => byte | 0x80), number % 128];
}

/** Two digits of year until 2049, four digits after, as the standard asks. */
function time(unixMs: number): Buffer {
  const digits = new Date(unixMs).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return isShort ? value(0x17, Buffer.from(`${digits.slice(2)}Z`)) : value(0x18, Buffer.from(`${digits}Z`));
}
