/** What happens at the server, one readable line each. */
import { unreachable } from "../../src/lib/check.js";
import type { Fleet, News } from "./fleet.js";
import { summaryOfReceived, summaryOfSent } from "./message-view.js";
import { readableAttributes } from "./readable.js";

/** Null: not worth a line. Control characters of a hostile agent must not steer the terminal. */
export function newsLine(news: News, fleet: Fleet): string | null {
  return line(news, fleet)?.replace(/\p{Cc}/gu, " ") ?? null;
}

function line(news: News, fleet: Fleet): string | null {
  switch (news.is) {
    case "changed":
      return null;
    case "received":
      return `${who(news.uid, fleet)} -> #${news.message.sequenceNum} ${summaryOfReceived(news.message)} (${news.bytes} bytes)`;
    case "sent":
      return `${who(news.uid, fleet)} <- ${summaryOfSent(news.message)} (${news.bytes} bytes)`;
    case "misbehaved":
      return `${news.uid === null ? "all agents" : who(news.uid, fleet)} !! ${news.what}`;
    case "malformed":
      return `${news.address} !! ${news.why}`;
    case "left":
      return `${who(news.uid, fleet)} gone: ${news.why}`;
    default:
      return unreachable(news);
  }
}

function who(uid: string, fleet: Fleet): string {
  const name = readableAttributes(fleet.find(uid)?.description?.identifyingAttributes ?? [])["service.name"];
  return typeof name === "string" && name !== "" ? `${uid} ${name.slice(0, 60)}` : uid;
}
