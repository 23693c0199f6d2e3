/** Builds the page out of elements and texts, never out of HTML strings: whatever an agent says stays a text. */

/** `h("p", { class: "quiet", on: { click } }, "text", element, null)`; null and false children are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && name !== "list") element[name] = value;
    else if (name === "class") element.className = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...nodes(children));
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

export const byId = (id) => document.getElementById(id);

let toastTimer = 0;
export function toast(text, isBad = false) {
  const element = byId("toast");
  element.textContent = text;
  element.className = isBad ? "shown bad" : "shown";
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.className = ""), isBad ? 9000 : 3000);
}

/** Without a secure context there is no clipboard; then the text is selected, ready for Ctrl+C. */
export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    getSelection().selectAllChildren(element);
    toast("Selected: press Ctrl+C to copy");
  }
}

/** Renders again only when what it shows has changed, so that selections, scrolling and open parts survive. */
export function onChange(render) {
  let last;
  return (value) => {
    const text = JSON.stringify(value);
    if (text === last) return;
    last = text;
    render(value);
  };
}

/** A `<details>` that remembers by `key` whether the person opened it. */
const opened = new Map();
export function folded(key, summary, content, isOpen = false) {
  const element = h("details", { open: opened.get(key) ?? isOpen }, h("summary", {}, summary));
  const show = () => {
    if (element.open && element.childElementCount === 1) element.append(...nodes([content()]));
  };
  element.addEventListener("toggle", () => {
    opened.set(key, element.open);
    show();
  });
  show();
  return element;
}
