/** Reads the body of a request, gzip or plain, never more than the limit: neither on the wire nor after inflating. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { messageOf } from "../../src/lib/error.js";
import { Refused } from "./refused.js";

const inflate = promisify(gunzip);

/** Throws `Refused` with 400, 413 or 415. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new Refused(415, `content encoding ${encoding} is not understood, send gzip or none`);
  }
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (encoding === "identity") return body;
  try {
    return await inflate(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    throw new Refused(400, `the body is not gzip although its header says so: ${messageOf(error)}`);
  }
}

function tooLarge(bytesMax: number): Refused {
  return new Refused(413, `the body is larger than the limit of ${bytesMax} bytes`);
}
