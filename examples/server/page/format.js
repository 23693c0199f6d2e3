/** Times, sizes and values as people read them. */
import { h } from "./dom.js";

/** What the server's clock is ahead of the browser's. */
let offsetMs = 0;
export function setServerNow(nowMs) {
  offsetMs = nowMs - Date.now();
}

export function ago(at) {
  return h("time", { data: { at }, title: new Date(at).toLocaleString() }, agoText(at));
}

function agoText(at) {
  const seconds = Math.max(0, Math.round((Date.now() + offsetMs - at) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(at).toLocaleDateString();
}

/** Keeps all "… ago" on the page true. */
export function tick() {
  for (const element of document.querySelectorAll("time[data-at]")) {
    const text = agoText(Number(element.dataset.at));
    if (element.textContent !== text) element.textContent = text;
  }
}

export function clockTime(at) {
  const date = new Date(at);
  return `${date.toLocaleTimeString([], { hour12: false })}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1_048_576 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1_048_576).toFixed(1)} MiB`;
}

export function valueText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export const shortHash = (hash) => (hash.length > 12 ? `${hash.slice(0, 12)}…` : hash);

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
