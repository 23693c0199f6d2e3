/** The message inspector: both ways, newest first, decoded when opened. */
import { h } from "./dom.js";
import { bytes, clockTime } from "./format.js";
import { call, coalesced } from "./server.js";

const SHOWN_MAX = 300;
const ARROWS = { received: ["→", "from the agent"], sent: ["←", "to the agent"], misbehaved: ["!", "a bad mode"] };

export function messagesCard(base) {
  const list = h("ol", { id: "messages", class: "messages" });
  const hideBeats = h("input", { type: "checkbox", checked: true, on: { change: () => list.classList.toggle("no-beats", hideBeats.checked) } });
  list.classList.add("no-beats");
  const element = h("section", { class: "card wide" }, h("h2", {}, "Messages"), h("label", { class: "quiet" }, hideBeats, " leave out heartbeats and acknowledgements"), list);
  let newest = 0;
  const load = coalesced(async () => {
    const { messages } = await call("GET", `${base}/messages?after=${newest}`);
    for (const message of messages) {
      newest = message.number;
      list.prepend(line(message));
    }
    while (list.childElementCount > SHOWN_MAX) list.lastElementChild.remove();
  });
  return { element, load };
}

function line({ at, direction, sequence, bytes: size, summary, content }) {
  const [arrow, title] = ARROWS[direction];
  const isBeat = summary === "heartbeat" || summary === "acknowledged";
  const head = [
    h("span", { class: "message-time" }, clockTime(at)),
    h("span", { class: `arrow ${direction}`, title }, arrow),
    h("span", { class: "message-number" }, sequence === null ? "" : `#${sequence}`),
    h("span", { class: "message-summary" }, summary),
    h("span", { class: "quiet" }, direction === "misbehaved" ? "" : bytes(size)),
  ];
  const details = h("details", {}, h("summary", { class: "message-line" }, head));
  details.addEventListener("toggle", () => {
    if (details.childElementCount === 1) details.append(h("pre", {}, content === null ? "(nothing was sent)" : JSON.stringify(content, null, 2)));
  });
  return h("li", { class: isBeat ? "beat" : "", data: { direction } }, details);
}
