/**
 * A headless Chromium driven by its own DevTools protocol: enough to open a page, type, click, read and take pictures.
 * A test that uses a browser belongs to test/interop.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { WebSocket } from "ws";
import { systemClock } from "../../src/lib/clock.js";

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--remote-debugging-port=0",
];
const START_MS_MAX = 30_000;
const POLL_MS = 20;

export interface BrowserPage {
  open(url: string): Promise<void>;
  /** The value of an expression, by JSON; promises are awaited. Throws what the page throws. */
  evaluate(expression: string): Promise<unknown>;
  /** Resolves with the first truthy value of the expression; rejects, naming it, when there is none in time. */
  waitFor(expression: string, timeoutMs?: number): Promise<unknown>;
  /** Replaces what stands in the field, as a person would: with input events. */
  fill(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  text(selector: string): Promise<string>;
  resize(width: number, height: number, options?: { readonly isDark?: boolean }): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** What the page wrote to the console as an error, and what it threw. */
  readonly errors: readonly string[];
}

export interface Browser {
  newPage(): Promise<BrowserPage>;
  close(): Promise<void>;
}

/** The browser that CHROMIUM names, or `chromium` where it is on the PATH; null: there is none. */
export function findBrowser(): string | null {
  const named = process.env["CHROMIUM"] ?? "";
  if (named !== "") return named;
  const places = (process.env["PATH"] ?? "").split(delimiter).map((directory) => join(directory, "chromium"));
  return places.find((place) => existsSync(place)) ?? null;
}

/** @param executable for example /usr/bin/chromium. */
export async function startBrowser(executable: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "browser-"));
  const child = spawn(executable, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const protocol = new Protocol(new WebSocket(await debuggerUrl(child)));
    await protocol.opened;
    return {
      newPage: () => newPage(protocol),
      async close() {
        protocol.close();
        child.kill("SIGKILL");
        await exited;
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Chromium prints where its protocol is served. */
function debuggerUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const cancel = systemClock.after(START_MS_MAX, () => reject(new Error(`the browser did not start: ${output}`)));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the browser ended with ${String(code)}: ${output}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const url = /DevTools listening on (ws:\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      cancel();
      resolve(url);
    });
  });
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Commands with their answers, and events, over one WebSocket. */
class Protocol {
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #listeners = new Set<(event: Answer) => void>();
  #count = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.opened = new Promise((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    socket.on("message", (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      if (answer.id === undefined) for (const listener of this.#listeners) listener(answer);
      else this.#waiting.get(answer.id)?.(answer);
    });
  }

  on(listener: (event: Answer) => void): void {
    this.#listeners.add(listener);
  }

  send(method: string, params: Record<string, unknown> = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        if (answer.error === undefined) resolve(answer.result ?? {});
        else reject(new Error(`${method}: ${answer.error.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

async function newPage(protocol: Protocol): Promise<BrowserPage> {
  const { targetId } = await protocol.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = (await protocol.send("Target.attachToTarget", { targetId, flatten: true })) as { sessionId: string };
  const send = (method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> => protocol.send(method, params, sessionId);
  const errors: string[] = [];
  protocol.on((event) => {
    if (event.sessionId === sessionId) errors.push(...errorsOf(event));
  });
  await Promise.all([send("Page.enable"), send("Runtime.enable"), send("Log.enable")]);

  const evaluate = async (expression: string): Promise<unknown> => {
    const answer = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    const failure = answer.exceptionDetails as { text: string; exception?: { description?: string } } | undefined;
    if (failure !== undefined) throw new Error(`${expression}: ${failure.exception?.description ?? failure.text}`);
    return (answer.result as { value?: unknown }).value;
  };
  const waitFor = async (expression: string, timeoutMs = 10_000): Promise<unknown> => {
    const deadline = systemClock.now() + timeoutMs;
    for (;;) {
      const value = await evaluate(expression).catch((error: unknown) => {
        // While a page is loading, what the expression names may not be there yet.
        if (systemClock.now() > deadline) throw error;
        return undefined;
      });
      if (Boolean(value)) return value;
      if (systemClock.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${expression}`);
      await systemClock.sleep(POLL_MS);
    }
  };
  const element = (selector: string): string => `document.querySelector(${JSON.stringify(selector)})`;
  return {
    errors,
    evaluate,
    waitFor,
    async open(url) {
      await send("Page.navigate", { url });
      await waitFor("document.readyState === 'complete' && location.href !== 'about:blank'");
    },
    async fill(selector, text) {
      await waitFor(`${element(selector)} && !${element(selector)}.disabled`);
      await evaluate(`${element(selector)}.focus(), ${element(selector)}.select()`);
      await send("Input.insertText", { text });
    },
    async click(selector) {
      await waitFor(`${element(selector)} && !${element(selector)}.disabled`);
      await evaluate(`${element(selector)}.click()`);
    },
    text: async (selector) => String(await evaluate(`${element(selector)}.textContent`)),
    async resize(width, height, { isDark = false } = {}) {
      await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }] });
    },
    async screenshot(path) {
      const { data } = (await send("Page.captureScreenshot", { format: "png" })) as { data: string };
      await writeFile(path, Buffer.from(data, "base64"));
    },
  };
}

function errorsOf({ method, params = {} }: Answer): string[] {
  if (method === "Runtime.exceptionThrown") return [JSON.stringify(params.exceptionDetails)];
  if (method === "Runtime.consoleAPICalled" && params.type === "error") return [JSON.stringify(params.args)];
  const entry = params.entry as { level?: string; text?: string; url?: string } | undefined;
  return method === "Log.entryAdded" && entry?.level === "error" ? [`${entry.text ?? ""} ${entry.url ?? ""}`] : [];
}
