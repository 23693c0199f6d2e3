/** The page: a list of agents, one agent, and the stream of changes that keeps both true. */
import { agentPage } from "./agent.js";
import { byId, fill, h } from "./dom.js";
import { setServerNow, tick } from "./format.js";
import { renderCounts, renderList } from "./list.js";
import { call, coalesced } from "./server.js";

const state = { agents: [], selected: null, page: null, server: null };

const loadList = coalesced(async () => {
  const { nowMs, agents } = await call("GET", "/api/agents");
  setServerNow(nowMs);
  state.agents = agents;
  render();
});

function render() {
  renderCounts(byId("counts"), state.agents);
  renderList(state.agents, byId("filter").value, state.selected);
  if (state.selected === null) renderWelcome();
}

function renderWelcome() {
  document.title = "OpAMP server";
  if (byId("main").dataset.is === `welcome ${state.agents.length === 0}`) return;
  byId("main").dataset.is = `welcome ${state.agents.length === 0}`;
  const endpoint = state.server?.urls.opamp ?? "";
  const hint =
    state.agents.length > 0
      ? [h("p", {}, "Choose an agent to see what it runs, and to change it.")]
      : [
          h("p", {}, "No agent has connected yet. Point one here, in its supervisor.yaml:"),
          h("pre", {}, `server:\n  endpoint: ${endpoint}${endpoint.startsWith("wss") ? "\n  tls:\n    insecure_skip_verify: true" : ""}\n`),
        ];
  fill(byId("main"), h("section", { class: "welcome" }, h("h1", {}, "Agents"), ...hint));
}

function route() {
  const uid = /^#\/agent\/([0-9a-f-]{36})$/.exec(location.hash)?.[1] ?? null;
  document.body.classList.toggle("on-agent", uid !== null);
  if (uid !== null && uid === state.selected) return;
  state.page?.close();
  state.selected = uid;
  state.page = null;
  if (uid !== null) {
    byId("main").dataset.is = uid;
    state.page = agentPage(byId("main"), uid);
    scrollTo(0, 0);
  }
  render();
}

function listen() {
  const source = new EventSource("/api/events");
  source.addEventListener("hello", async () => {
    setLive("live");
    state.server = await call("GET", "/api/server").catch(() => null);
    await loadList();
    state.page?.changed(["all"]);
  });
  source.addEventListener("changed", (event) => {
    const changes = JSON.parse(event.data);
    if (changes.some(({ parts }) => parts.some((part) => part !== "telemetry"))) void loadList();
    for (const { uid, parts } of changes) if (uid === state.selected) state.page?.changed(parts);
  });
  source.addEventListener("error", () => setLive(source.readyState === EventSource.CLOSED ? "closed" : "lost"));
}

function setLive(is) {
  const element = byId("live");
  element.dataset.is = is;
  element.textContent = { live: "live", lost: "server not reached, trying again…", closed: "server not reached: reload the page" }[is];
}

byId("filter").addEventListener("input", render);
addEventListener("hashchange", route);
setInterval(tick, 1000);
route();
listen();
