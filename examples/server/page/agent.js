/** The page of one agent: cards that are built once and told of what changed. */
import { attributesCard, capabilitiesCard, componentsCard, effectiveCard, extrasCard, healthCard, notesCard, telemetryCard } from "./cards.js";
import { fill, h, onChange, toast } from "./dom.js";
import { editorCard } from "./editor.js";
import { ago, setServerNow } from "./format.js";
import { keysCard } from "./keys.js";
import { messagesCard } from "./messages.js";
import { misbehaveCard } from "./misbehave.js";
import { call, coalesced } from "./server.js";

export function agentPage(main, uid) {
  const base = `/api/agents/${uid}`;
  const head = headCard(base);
  const editor = editorCard(base);
  const keys = keysCard(base);
  const messages = messagesCard(base);
  const cards = [effectiveCard(), healthCard(), attributesCard(), capabilitiesCard(), componentsCard(), telemetryCard(), extrasCard(), notesCard(), misbehaveCard(base)];
  const [effective, ...rest] = cards;
  fill(
    main,
    h("p", { class: "back" }, h("a", { href: "#/" }, "‹ All agents")),
    head.element,
    h("div", { class: "cards" }, editor.element, keys.element, effective.element, messages.element),
    h("div", { class: "small-cards" }, rest.map((card) => card.element)),
  );
  let isClosed = false;
  const load = coalesced(async () => {
    try {
      const agent = await call("GET", base);
      if (isClosed) return;
      setServerNow(agent.nowMs);
      document.title = `${agent.name || agent.uid}: OpAMP server`;
      for (const card of [head, editor, keys, ...cards]) card.update(agent);
    } catch (error) {
      if (!isClosed) fill(head.element, h("p", { class: "bad" }, error.message));
    }
  });
  void load();
  void messages.load();
  return {
    changed(parts) {
      if (parts.some((part) => part !== "messages")) void load();
      else head.touch();
      void messages.load();
    },
    close() {
      isClosed = true;
    },
  };
}

function headCard(base) {
  const element = h("section", { class: "head" });
  const seen = h("span", { class: "quiet" });
  const act = (label, path, done) => async (event) => {
    event.target.disabled = true;
    try {
      await call("POST", `${base}/${path}`);
      toast(done);
    } catch (error) {
      toast(error.message, true);
    }
    event.target.disabled = false;
  };
  const render = onChange(({ uid, name, version, up, why, liveness, transport, address, acceptsRestart }) => {
    const upText = up === null ? "Up: unknown" : `Up: ${up}`;
    const isGone = liveness === "gone";
    fill(
      element,
      h("h1", {}, name || "Agent without a name", version && h("small", {}, ` ${version}`)),
      h("p", { class: "up-line" }, h("strong", { id: "up", class: `up ${up === true ? "good" : up === false ? "bad" : "unknown"}`, data: { up: String(up) } }, upText), why && h("span", { id: "why", class: "why" }, why)),
      h("p", { class: "facts" }, h("code", { id: "uid", class: "uid" }, uid), h("span", {}, transport === "http" ? "polls by HTTP" : "WebSocket", ` from ${address.replace(/^::ffff:/, "")}`), seen),
      h(
        "p",
        { class: "actions" },
        h("button", { id: "restart", disabled: isGone || !acceptsRestart, title: acceptsRestart ? "" : "This agent does not take the restart command (AcceptsRestartCommand)", on: { click: act("restart", "restart", "Restart command sent") } }, "Restart"),
        h("button", { id: "full-state", disabled: isGone, on: { click: act("full state", "full-state", "Asked for a full report") } }, "Ask for a full report"),
        h("button", { id: "new-identity", disabled: isGone, title: "The agent gets a new instance uid and goes on under it", on: { click: act("identity", "new-identity", "A new identity is on its way: the agent will appear under it") } }, "Give a new identity"),
      ),
    );
  });
  return {
    element,
    touch: () => fill(seen, "last message ", ago(Date.now())),
    update(agent) {
      const { uid, name, version, up, why, liveness, transport, address, acceptsRestart } = agent;
      render({ uid, name, version, up, why, liveness, transport, address, acceptsRestart });
      fill(seen, "last message ", ago(agent.lastSeenAt), ", first ", ago(agent.firstSeenAt));
    },
  };
}
