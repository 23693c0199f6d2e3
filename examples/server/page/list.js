/** The list of agents, with the filter. */
import { byId, h } from "./dom.js";
import { ago, valueText } from "./format.js";

const rows = new Map();

export function renderCounts(element, agents) {
  const count = (liveness) => agents.filter((agent) => agent.liveness === liveness).length;
  const parts = ["up", "stale", "gone"].map((liveness) => [liveness, count(liveness)]).filter(([liveness, n]) => n > 0 || liveness === "up");
  element.replaceChildren(...parts.map(([liveness, n]) => h("span", { class: `count ${liveness}` }, `${n} ${liveness === "up" ? "connected" : liveness}`)));
}

export function renderList(agents, filter, selected) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const order = { up: 0, stale: 1, gone: 2 };
  const shown = agents
    .filter((agent) => words.every((word) => searchText(agent).includes(word)))
    .sort((one, other) => order[one.liveness] - order[other.liveness] || label(one).localeCompare(label(other)) || one.firstSeenAt - other.firstSeenAt);
  const elements = shown.map((agent) => row(agent, selected));
  const list = byId("agents");
  if (elements.length !== list.children.length || elements.some((element, index) => element !== list.children[index])) list.replaceChildren(...elements);
  for (const uid of rows.keys()) if (!agents.some((agent) => agent.uid === uid)) rows.delete(uid);
  const empty = byId("no-agents");
  empty.hidden = shown.length > 0;
  empty.textContent = agents.length === 0 ? "No agent yet." : "No agent matches the filter.";
}

/** Everything that one may look for: "up", "FAILED", a version, a value, `os.type=linux`. */
function searchText(agent) {
  const attributes = Object.entries(agent.attributes).map(([key, value]) => `${key}=${valueText(value)}`);
  const health = agent.up === true ? "up healthy" : agent.up === false ? "unhealthy down" : "unknown";
  return [agent.uid, agent.liveness, health, agent.configStatus, agent.transport, ...attributes].join("\n").toLowerCase();
}

const label = (agent) => agent.name || agent.uid;

function row(agent, selected) {
  const text = JSON.stringify({ ...agent, isSelected: agent.uid === selected });
  const known = rows.get(agent.uid);
  if (known?.text === text) return known.element;
  const element = known?.element ?? h("li", { data: { uid: agent.uid } });
  const state = agent.liveness !== "up" ? agent.liveness : agent.up === true ? "healthy" : agent.up === false ? "unhealthy" : "unknown";
  element.replaceChildren(
    h(
      "a",
      { href: `#/agent/${agent.uid}`, class: "agent-row", ...(agent.uid === selected ? { "aria-current": "page" } : {}) },
      h("span", { class: `dot ${state}`, title: agent.why || "healthy" }),
      h("span", { class: "agent-name" }, label(agent), agent.version && h("small", {}, ` ${agent.version}`)),
      statusChip(agent),
      h("span", { class: "agent-sub" }, agent.host && `${agent.host} · `, agent.name ? `${agent.uid.slice(0, 13)}… · ` : "", state === "healthy" ? "" : `${state} · `, ago(agent.lastSeenAt)),
    ),
  );
  rows.set(agent.uid, { text, element });
  return element;
}

function statusChip(agent) {
  if (!agent.acceptsRemoteConfig || agent.configStatus === "UNSET") return h("span");
  return h("span", { class: "chip", data: { status: agent.configStatus } }, agent.configStatus);
}
