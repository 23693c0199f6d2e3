/** The cards that only show: each has its element and an `update` with the agent as the JSON API gives it. */
import { copy, fill, folded, h, onChange } from "./dom.js";
import { ago, bytes, plural, valueText } from "./format.js";

function card(title, pick, render, properties = {}) {
  const content = h("div");
  const element = h("section", { class: "card", ...properties }, h("h2", {}, title), content);
  const show = onChange((value) => {
    const children = render(value);
    element.hidden = children === null;
    fill(content, children ?? []);
  });
  return { element, update: (agent) => show(pick(agent)) };
}

const quiet = (text) => h("p", { class: "quiet" }, text);

export function effectiveCard() {
  const pick = ({ effectiveConfig, effectiveConfigAt }) => ({ effectiveConfig, effectiveConfigAt });
  return card("Effective configuration", pick, ({ effectiveConfig: files, effectiveConfigAt }) => {
    if (files === null) return quiet("The agent has not reported one.");
    if (files.length === 0) return quiet("The agent says that it has none.");
    return [h("p", { class: "quiet" }, "reported ", ago(effectiveConfigAt)), ...files.map(effectiveFile)];
  }, { class: "card wide" });
}

function effectiveFile({ name, body, contentType }, index) {
  const text = h("pre", { class: "config-text", id: index === 0 ? "effective-config" : "", tabIndex: 0 }, body);
  return h("div", { class: "config-file" }, h("p", { class: "file-head" }, h("span", {}, name && h("code", {}, name), ` ${bytes(new Blob([body]).size)}${contentType ? `, ${contentType}` : ""}`), h("button", { class: "plain", on: { click: () => void copy(body, text) } }, "Copy")), text);
}

export function healthCard() {
  return card("Health", ({ health }) => health, (health) => (health === null ? quiet("The agent has not reported its health.") : h("ul", { class: "tree" }, healthNode("agent", health, "agent", 0))));
}

function healthNode(name, health, path, depth) {
  const children = Object.entries(health.components).sort(([one], [other]) => (one < other ? -1 : 1));
  const line = [
    h("span", { class: `dot ${health.healthy ? "healthy" : "unhealthy"}` }),
    h("span", { class: "tree-name" }, name),
    h("span", { class: "quiet" }, health.status),
    health.startTime && depth === 0 && h("span", { class: "quiet" }, "started ", ago(Date.parse(health.startTime))),
    health.lastError && h("span", { class: "bad" }, health.lastError),
    Object.keys(health.attributes).length > 0 && h("span", { class: "quiet" }, valueText(health.attributes)),
  ];
  if (children.length === 0) return h("li", {}, h("span", { class: "tree-line" }, line));
  const list = () => h("ul", { class: "tree" }, children.map(([child, value]) => healthNode(child, value, `${path}/${child}`, depth + 1)));
  return h("li", {}, folded(`health ${path}`, h("span", { class: "tree-line" }, line), list, depth < 1 || hasTrouble(health)));
}

const hasTrouble = (health) => !health.healthy || Object.values(health.components).some(hasTrouble);

export function attributesCard() {
  const pick = ({ identifyingAttributes, nonIdentifyingAttributes }) => ({ identifyingAttributes, nonIdentifyingAttributes });
  return card("Attributes", pick, ({ identifyingAttributes, nonIdentifyingAttributes }) => {
    const rows = (attributes, isIdentifying) => Object.entries(attributes).map(([key, value]) => h("tr", { class: isIdentifying ? "identifying" : "" }, h("th", { scope: "row" }, key), h("td", {}, valueText(value))));
    const all = [...rows(identifyingAttributes, true), ...rows(nonIdentifyingAttributes, false)];
    return all.length === 0 ? quiet("The agent has not described itself.") : [h("table", { id: "attributes" }, h("tbody", {}, all)), quiet("Bold ones identify the agent.")];
  });
}

export function capabilitiesCard() {
  return card("Capabilities", ({ capabilities }) => capabilities, (capabilities) => {
    const list = (isOn) => h("ul", { class: `chips ${isOn ? "" : "off"}` }, capabilities.filter((one) => one.isOn === isOn).map(({ name }) => h("li", {}, name)));
    return [list(true), folded("capabilities off", "what it does not have", () => list(false))];
  });
}

export function componentsCard() {
  return card("Components", ({ components }) => components, ({ hash, tree }) => {
    if (hash === "") return null;
    if (tree === null) return quiet("The list is on its way.");
    return Object.entries(tree).map(([kind, { components }]) => {
      const names = Object.entries(components);
      const list = () => h("ul", { class: "chips" }, names.map(([name, { metadata }]) => h("li", { title: Object.values(metadata).map(valueText).join("\n") }, name)));
      return folded(`components ${kind}`, `${kind} (${names.length})`, list);
    });
  });
}

export function telemetryCard() {
  return card("Its own telemetry", ({ telemetry }) => telemetry, (telemetry) => {
    if (telemetry === null) return null;
    return Object.entries(telemetry.signals).map(([signal, seen]) =>
      h(
        "div",
        {},
        h("p", {}, h("strong", {}, signal), ` ${plural(seen.items, "item")} in ${plural(seen.requests, "request")}, last `, ago(seen.lastAt), ` (${bytes(seen.lastBytes)}, ${seen.lastEncoding})`),
        folded(`telemetry ${signal}`, `${plural(seen.lastNames.length, "name")} in the last request`, () => h("ul", { class: "chips" }, seen.lastNames.map((name) => h("li", {}, name)))),
        quiet("Counts and names only: values are not decoded here."),
      ),
    );
  });
}

export function extrasCard() {
  const pick = ({ packages, connectionSettings, customCapabilities }) => ({ packages, connectionSettings, customCapabilities });
  return card("Packages, connection settings, custom", pick, ({ packages, connectionSettings, customCapabilities }) => {
    const parts = [
      ["Packages", packages],
      ["Connection settings", connectionSettings],
      ["Custom capabilities", customCapabilities],
    ].filter(([, value]) => value !== null && Object.keys(value).length > 0);
    return parts.length === 0 ? null : parts.map(([title, value]) => [h("h3", {}, title), h("pre", {}, JSON.stringify(value, null, 2))]);
  });
}

export function notesCard() {
  return card("What happened", ({ notes }) => notes, (notes) => {
    if (notes.length === 0) return null;
    return h("ul", { class: "notes" }, notes.toReversed().map(({ at, text }) => h("li", {}, ago(at), ` ${text}`)));
  });
}
