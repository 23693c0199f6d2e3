/** Lets the server misbehave towards this agent, to see what it makes of it. */
import { folded, h, onChange, fill, toast } from "./dom.js";
import { call } from "./server.js";

const MODES = [
  ["Behave", { is: "none" }],
  ["Answer 5 s late", { is: "delay", ms: 5000 }],
  ["Say nothing", { is: "silence" }],
  ["Cut the connection at each message", { is: "drop" }],
  ["Answer, then hang up", { is: "hang-up" }],
  ["Answer with garbage", { is: "garbage" }],
  ["Answer with text", { is: "text" }],
  ["Ask for the full state in each answer", { is: "full-state-storm" }],
  ["Send the configuration in each answer", { is: "offer-storm" }],
  ["Say UNAVAILABLE, come back in 10 s", { is: "unavailable", retryAfterMs: 10_000 }],
  ["Say BAD_REQUEST", { is: "bad-request" }],
  ["Answer with 65 MiB", { is: "oversized", bytes: 65 * 1024 * 1024, times: 1 }],
];

export function misbehaveCard(base) {
  const select = h("select", { "aria-label": "Bad mode" }, MODES.map(([label], index) => h("option", { value: String(index) }, label)));
  const current = h("p", { class: "quiet" });
  select.addEventListener("change", async () => {
    try {
      await call("PUT", `${base}/bad-mode`, MODES[Number(select.value)][1]);
      toast(select.value === "0" ? "The server behaves again" : "The server misbehaves towards this agent from now on");
    } catch (error) {
      toast(error.message, true);
    }
  });
  const render = onChange((mode) => {
    const index = MODES.findIndex(([, known]) => known.is === mode.is);
    select.value = String(Math.max(0, index));
    fill(current, mode.is === "none" ? "" : `now: ${JSON.stringify(mode)}`);
  });
  const element = h("section", { class: "card" }, folded("misbehave", "Misbehave on purpose", () => h("div", {}, h("p", {}, "Towards this agent the server shall: ", select), current)));
  return { element, update: ({ badMode }) => render(badMode) };
}
