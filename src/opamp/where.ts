/** Host and port of an address, for people; never the whole URL, which may carry a password. */
import { portOf } from "./connect.js";

export function whereOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
