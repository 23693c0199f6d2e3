/** Each WebSocket message is a varint header 0 and protobuf bytes. */
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "../../src/opamp/frame.js";

describe("frame", () => {
  test("is one zero byte and the data", () => {
    expect([...encodeFrame(Uint8Array.of(7, 8))]).toEqual([0, 7, 8]);
    expect([...encodeFrame(new Uint8Array())]).toEqual([0]);
  });

  test.each([
    ["minimal zero", [0, 1, 2], [1, 2]],
    ["empty data", [0], []],
    ["zero in two bytes", [0x80, 0, 9], [9]],
    ["zero in ten bytes", [...Array<number>(9).fill(0x80), 0, 9], [9]],
  ])("%s is accepted", (_name, bytes, data) => {
    expect(decodeFrame(Uint8Array.from(bytes))).toEqual({ is: "data", data: Uint8Array.from(data) });
  });

  test.each([
    ["no byte at all", [], "the message is empty, its header byte is missing"],
    ["a header that is cut off", [0x80, 0x80], "the header is cut off"],
    ["header 1", [1, 0x0a], "the header is not zero (first byte 0x01)"],
    ["header 128", [0x80, 1], "the header is not zero (first byte 0x80)"],
    ["protobuf without header", [0x0a, 0x01, 0x02], "the header is not zero (first byte 0x0a)"],
    ["eleven bytes", [...Array<number>(10).fill(0x80), 0], "the header is longer than 10 bytes"],
  ])("%s is malformed", (_name, bytes, reason) => {
    expect(decodeFrame(Uint8Array.from(bytes))).toEqual({ is: "malformed", reason });
  });
});
