/** "Additional Configuration": what the agent shall run, and what became of it, side by side. */
import { fill, h, onChange, toast } from "./dom.js";
import { duration, plural, shortHash } from "./format.js";
import { call } from "./server.js";

const WORDS = {
  UNSET: "nothing was sent yet",
  SAVED: "saved; it is sent as soon as the agent can be reached",
  SENT: "sent; the agent has not said anything yet",
  APPLYING: "the agent is trying it",
  APPLIED: "the agent runs it",
  FAILED: "the agent refused it and says why",
};

export function editorCard(base) {
  const editor = { files: [{ name: "", body: "" }], at: 0, isDirty: false, isSaving: false, hash: null, accepts: true };
  const note = h("p", { class: "quiet", hidden: true });
  const tabs = h("div", { class: "tabs", role: "tablist" });
  const nameInput = h("input", { id: "config-name", class: "file-name", placeholder: "file name, e.g. 10-receivers.yaml", spellcheck: false, "aria-label": "File name" });
  const body = h("textarea", { id: "config-body", spellcheck: false, autocapitalize: "off", rows: 16, placeholder: "receivers:\n  …", "aria-label": "Additional configuration (YAML)" });
  const save = h("button", { id: "save", class: "primary" }, "Save and Send to Agent");
  const add = h("button", { id: "add-file", class: "plain" }, "Add a file");
  const remove = h("button", { id: "remove-file", class: "plain" }, "Remove this file");
  const warnings = h("div", { id: "config-warnings" });
  const status = h("div", { id: "config-status", class: "status", "aria-live": "polite" });
  const element = h(
    "section",
    { class: "card wide editor" },
    h("h2", {}, "Additional Configuration"),
    note,
    h("div", { class: "editor-grid" }, h("div", { class: "editor-text" }, tabs, nameInput, body, h("p", { class: "actions" }, save, add, remove)), h("div", { class: "editor-status" }, h("h3", {}, "Status"), status, warnings)),
  );

  function renderFiles() {
    const { files, at } = editor;
    const hasNames = files.length > 1 || files[0].name !== "";
    fill(tabs, files.length > 1 ? files.map((file, index) => h("button", { role: "tab", class: "tab", "aria-selected": String(index === at), on: { click: () => show(index) } }, file.name || "(no name)")) : []);
    nameInput.hidden = !hasNames;
    nameInput.value = files[at].name;
    if (body.value !== files[at].body) body.value = files[at].body;
    remove.hidden = files.length === 1;
  }
  function show(index) {
    editor.at = index;
    renderFiles();
    body.focus();
  }
  function edited() {
    editor.isDirty = true;
    renderButton();
  }
  function renderButton() {
    save.disabled = !editor.accepts || editor.isSaving;
    save.classList.toggle("dirty", editor.isDirty);
  }
  body.addEventListener("input", () => {
    editor.files[editor.at].body = body.value;
    edited();
  });
  nameInput.addEventListener("input", () => {
    editor.files[editor.at].name = nameInput.value;
    edited();
  });
  nameInput.addEventListener("change", renderFiles);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save.click();
  });
  add.addEventListener("click", () => {
    const taken = editor.files.map((file) => file.name);
    let number = editor.files.length;
    while (taken.includes(`${number}0.yaml`)) number++;
    editor.files.push({ name: `${number}0.yaml`, body: "" });
    edited();
    show(editor.files.length - 1);
  });
  remove.addEventListener("click", () => {
    editor.files.splice(editor.at, 1);
    edited();
    show(Math.max(0, editor.at - 1));
  });
  save.addEventListener("click", async () => {
    const names = editor.files.map((file) => file.name);
    if (new Set(names).size !== names.length) return toast("Two files have the same name", true);
    editor.isSaving = true;
    renderButton();
    try {
      const contents = editor.files.map(({ name, body: text, contentType = "text/yaml", role = "" }) => [name, { body: text, contentType, role }]);
      const saved = await call("PUT", `${base}/config`, { files: Object.fromEntries(contents) });
      editor.isDirty = false;
      editor.hash = saved.hash;
      fill(warnings, saved.warnings.map((text) => h("p", { class: "warning" }, text)));
    } catch (error) {
      fill(warnings, h("p", { class: "bad" }, error.message));
    }
    editor.isSaving = false;
    renderButton();
  });

  const renderStatus = onChange((remote) => fill(status, ...statusLines(remote)));
  renderFiles();
  return {
    element,
    update({ remoteConfig, acceptsRemoteConfig, liveness }) {
      editor.accepts = acceptsRemoteConfig;
      body.disabled = nameInput.disabled = add.disabled = remove.disabled = !acceptsRemoteConfig;
      note.hidden = acceptsRemoteConfig;
      note.textContent = "This agent cannot be configured from here: AcceptsRemoteConfig is not among its capabilities.";
      const { offer } = remoteConfig;
      // What the person is typing is never overwritten by what somebody else saved.
      if (offer !== null && offer.hash !== editor.hash && !editor.isDirty) {
        editor.hash = offer.hash;
        editor.files = offer.files.length > 0 ? offer.files.map((file) => ({ ...file })) : [{ name: "", body: "" }];
        editor.at = 0;
        renderFiles();
      }
      status.dataset.status = remoteConfig.state;
      renderStatus({ remoteConfig, isGone: liveness === "gone" });
      renderButton();
    },
  };
}

function statusLines({ remoteConfig, isGone }) {
  const { state, error, offer, reported } = remoteConfig;
  const took = offer?.tookMs;
  const lines = [
    h(
      "p",
      { class: "status-line" },
      h("span", { id: "config-state", class: "chip big", data: { status: state } }, state),
      h("span", {}, offer === null && state !== "UNSET" ? "by the agent's own word; nothing was sent from here" : WORDS[state] ?? "", took !== null && took !== undefined ? `, ${duration(took)} after it was sent` : ""),
    ),
  ];
  if (isGone && (state === "SENT" || state === "APPLYING")) lines.push(h("p", { class: "warning" }, "The agent is gone, so this may not be its last word."));
  if (error) lines.push(h("pre", { id: "config-error", class: "error-text" }, error));
  const hash = offer?.hash ?? reported?.hash ?? "";
  if (hash) lines.push(h("p", { class: "quiet" }, "hash ", h("code", { id: "config-hash", title: hash, data: { hash } }, shortHash(hash)), offer !== null && offer.files.length !== 1 ? `, ${plural(offer.files.length, "file")}` : ""));
  if (offer !== null && offer.statuses.length > 1 && offer.sentAt !== null) {
    lines.push(h("ol", { class: "steps" }, offer.statuses.map((step) => h("li", {}, `+${duration(step.at - offer.sentAt)} ${step.status}`))));
  }
  if (offer !== null && reported !== null && reported.hash !== offer.hash && reported.hash !== "") {
    lines.push(h("p", { class: "quiet" }, `before that: ${reported.status} for hash ${shortHash(reported.hash)}`));
  }
  return lines;
}
