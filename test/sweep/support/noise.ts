/** Bytes without any meaning, the same for the same seed. */
import { createHash } from "node:crypto";

export function noise(seed: number, size: number): Buffer {
  return createHash("shake256", { outputLength: size }).update(String(seed)).digest();
}
