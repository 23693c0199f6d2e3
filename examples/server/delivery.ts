/** What goes out instead of, or around, a proper answer: the bad modes as a value that both transports carry out. */
import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { unreachable } from "../../src/lib/check.js";
import { ServerErrorResponseType, ServerToAgentFlags, ServerToAgentSchema, type ServerToAgent } from "../../src/gen/opamp/v1/opamp_pb.js";
import type { BadMode } from "./bad-mode.js";

export type Delivery =
  | { readonly do: "send"; readonly message: ServerToAgent; readonly delayMs: number; readonly thenClose: boolean }
  /** Bytes as they are, without a header. */
  | { readonly do: "send-bytes"; readonly bytes: Uint8Array }
  | { readonly do: "send-text"; readonly text: string }
  | { readonly do: "say-nothing" }
  | { readonly do: "cut" };

const GARBAGE_BYTES = 64;
const TEXT = "<!doctype html><title>Not OpAMP</title><p>This is a text, on purpose.";

/** Whether the mode lets an answer through; without one, the agent's state must not count anything as told. */
export function isAnswered(mode: BadMode): boolean {
  return ["none", "delay", "hang-up", "full-state-storm", "offer-storm", "oversized"].includes(mode.is);
}

/** @param answer the proper answer; not looked at by modes that do not answer. */
export function deliver(mode: BadMode, answer: ServerToAgent): Delivery {
  const send = (message: ServerToAgent, delayMs = 0, thenClose = false): Delivery => ({ do: "send", message, delayMs, thenClose });
  switch (mode.is) {
    case "none":
    case "offer-storm":
      return send(answer);
    case "reject":
    case "drop":
      return { do: "cut" };
    case "delay":
      return send(answer, mode.ms);
    case "hang-up":
      return send(answer, 0, true);
    case "silence":
      return { do: "say-nothing" };
    case "text":
      return { do: "send-text", text: TEXT };
    case "garbage":
      // A proper header before it, so that it is the protobuf decoder that has to cope; 0xff is no valid tag.
      return { do: "send-bytes", bytes: Uint8Array.from([0, 0xff, ...randomBytes(GARBAGE_BYTES)]) };
    case "full-state-storm":
      answer.flags |= BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState);
      return send(answer);
    case "oversized":
      return send(inflate(answer, mode.bytes));
    case "bad-request":
      return send(errorOf(answer, ServerErrorResponseType.ServerErrorResponseType_BadRequest, "refused on purpose", null));
    case "unavailable":
      return send(errorOf(answer, ServerErrorResponseType.ServerErrorResponseType_Unavailable, "unavailable on purpose", mode.retryAfterMs ?? null));
    default:
      return unreachable(mode);
  }
}

function errorOf(answer: ServerToAgent, type: ServerErrorResponseType, errorMessage: string, retryAfterMs: number | null): ServerToAgent {
  const retryInfo = { retryAfterNanoseconds: BigInt(Math.round((retryAfterMs ?? 0) * 1_000_000)) };
  return create(ServerToAgentSchema, {
    instanceUid: answer.instanceUid,
    errorResponse: { type, errorMessage, ...(retryAfterMs === null ? {} : { Details: { case: "retryInfo" as const, value: retryInfo } }) },
  });
}

/** Fills a custom message, which an agent ignores, until the whole has about the size asked for. */
function inflate(answer: ServerToAgent, bytes: number): ServerToAgent {
  const missing = Math.max(0, bytes - toBinary(ServerToAgentSchema, answer).length);
  answer.customMessage = create(ServerToAgentSchema, {
    customMessage: { capability: "example.padding", type: "padding", data: new Uint8Array(missing) },
  }).customMessage;
  return answer;
}
