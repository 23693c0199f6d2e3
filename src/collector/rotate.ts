/**
 * Keeps a log file within its limit while another process appends to it: its end is copied to `<path>.1`, then the file
 * is emptied. Lines that are written between the last copied byte and the emptying are lost; that is the price of not
 * standing between the Collector and its file.
 */
import { constants } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { messageOf } from "../lib/error.js";
import type { Logger } from "../lib/log.js";

const CHUNK_BYTES = 256 * 1024;

/** True when the file was emptied. Where the copy fails it is emptied all the same: a log must not fill the disk. */
export async function cutToSize(path: string, bytesMax: number, log: Logger): Promise<boolean> {
  try {
    const file = await open(path, "r+");
    try {
      await copyEnd(file, path, bytesMax).catch((error: unknown) => {
        log.warn("Output of the Collector is cut without a copy", { path, error: messageOf(error) });
      });
      await file.truncate(0);
      return true;
    } finally {
      await file.close();
    }
  } catch (error) {
    log.warn("Output of the Collector cannot be kept within its limit", { path, error: messageOf(error) });
    return false;
  }
}

async function copyEnd(from: FileHandle, path: string, bytesMax: number): Promise<void> {
  const temporary = `${path}.1.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  try {
    const to = await open(temporary, flags, 0o600);
    try {
      await copyChunks(from, to, bytesMax);
    } finally {
      await to.close();
    }
    await rename(temporary, `${path}.1`);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** The last `bytesMax` bytes, and what is appended meanwhile up to as much again: a flood must not be chased for ever. */
async function copyChunks(from: FileHandle, to: FileHandle, bytesMax: number): Promise<void> {
  const { size } = await from.stat();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let offset = Math.max(0, size - bytesMax);
  const end = size + bytesMax;
  while (offset < end) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(CHUNK_BYTES, end - offset), offset);
    if (bytesRead === 0) return;
    await writeAll(to, buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
}

async function writeAll(to: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await to.write(bytes, written);
    written += bytesWritten;
  }
}
