/** "What you sent, as it runs": each key with its effective value, defaults folded away. */
import { fill, folded, h, onChange } from "./dom.js";
import { plural } from "./format.js";
import { call, coalesced } from "./server.js";

const MARKS = {
  same: ["✓", "runs as sent"],
  different: ["≠", "runs with another value"],
  missing: ["?", "the agent does not report it: some parts of a configuration never appear in the report"],
  defaults: ["✓", "runs with its defaults"],
  hidden: ["•", "the agent does not show the value"],
  expanded: ["→", "a reference, shown with its value"],
};

const NOT_YET = "The agent has not applied it yet: this compares it with what the agent last said to run.";
const CAUTIONS = {
  SAVED: NOT_YET,
  SENT: NOT_YET,
  APPLYING: NOT_YET,
  FAILED: "The agent refused it: this compares it with what the agent runs instead.",
};

export function keysCard(base) {
  const content = h("div", { id: "keys" });
  const caution = h("p", { class: "warning" });
  const element = h("section", { class: "card wide", hidden: true }, h("h2", {}, "What you sent, as it runs"), caution, content);
  const render = onChange((view) => fill(content, view.is === "unknown" ? h("p", { class: "quiet" }, `Not compared: ${view.why}.`) : table(view)));
  const load = coalesced(async () => render(await call("GET", `${base}/keys`)));
  const due = onChange(() => void load());
  return {
    element,
    update({ remoteConfig, effectiveConfig }) {
      element.hidden = remoteConfig.offer === null;
      caution.textContent = CAUTIONS[remoteConfig.state] ?? "";
      caution.hidden = caution.textContent === "";
      if (remoteConfig.offer !== null) due({ hash: remoteConfig.offer.hash, state: remoteConfig.state, effectiveConfig });
    },
  };
}

function table({ rows, isCut }) {
  const counts = Object.keys(MARKS).map((state) => [state, rows.filter((row) => row.state === state).length]);
  const told = { same: "as sent", different: "different", missing: "not reported", defaults: "with defaults", hidden: "hidden", expanded: "expanded" };
  const summary = counts.filter(([, count]) => count > 0).map(([state, count]) => h("span", { class: `key-count ${state}` }, `${count} ${told[state]}`));
  let before = [];
  const lines = rows.map((row) => {
    const line = row.is === "key" ? keyLine(row, before) : defaultsLine(row);
    before = row.path;
    return line;
  });
  return [h("p", { class: "key-counts" }, summary), h("div", { class: "key-table", role: "table" }, lines), isCut && h("p", { class: "quiet" }, "Only the first part is shown.")];
}

/** The part of the path that the line before had too is dimmed. */
function keyLine({ path, sent, effective, state }, before) {
  let shared = 0;
  while (shared < path.length - 1 && path[shared] === before[shared]) shared++;
  const [mark, title] = MARKS[state];
  const value = state === "same" || state === "defaults" || effective === null ? null : h("span", { class: "key-effective" }, effective);
  return h(
    "div",
    { class: `key-row ${state}`, role: "row", data: { path: path.join("."), state, effective: effective ?? "" } },
    h("span", { class: "key-mark", title }, mark),
    h("span", { class: "key-path" }, shared > 0 && h("span", { class: "dim" }, `${path.slice(0, shared).join(" › ")} › `), path.slice(shared).join(" › ")),
    h("span", { class: "key-value" }, sent !== "" && h("span", { class: value === null ? "key-sent" : "key-sent struck" }, sent), value, state === "missing" && h("em", {}, "the agent does not report it"), state === "defaults" && h("em", {}, "with its defaults")),
  );
}

function defaultsLine({ path, count, yaml }) {
  const summary = `${plural(count, "more key")} under ${path.join(" › ")}, from defaults or local files`;
  return h("div", { class: "key-row defaults-row", role: "row" }, h("span"), folded(`defaults ${path.join(".")}`, summary, () => h("pre", {}, yaml)));
}
