/** Plays a script with an executable in a directory of its own and writes down what was seen. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/lib/clock.js";
import { normaliseText, readComponents, readDescription, readLink, readLog, type Names } from "./normalise.js";
import { listenForOpamp, type OpampListener } from "./opamp-listener.js";
import type { Script, Seen, Step } from "./transcript.js";

const RUN_MS_MAX = 10_000;
const SETTLE_MS = 40;

export async function play(script: Script, executable: string): Promise<Seen> {
  const directory = mkdtempSync(join(tmpdir(), "transcript-"));
  const opamp = JSON.stringify(script).includes("{{opamp}}") ? await listenForOpamp() : null;
  const ports = await takePorts(script);
  try {
    return await new Performance(script, executable, directory, opamp, ports.numbers).run();
  } finally {
    await Promise.all(ports.held.map((server) => new Promise((resolve) => server.close(resolve))));
    await opamp?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Ports {
  readonly numbers: ReadonlyMap<string, number>;
  readonly held: readonly Server[];
}

async function takePorts(script: Script): Promise<Ports> {
  const names = new Set([...JSON.stringify(script).matchAll(/\{\{port:(\w+)\}\}/g)].map((match) => match[1] ?? ""));
  const servers = await Promise.all([...names].map(async (name) => ({ name, server: await holdPort() })));
  const numbers = new Map(servers.map(({ name, server }) => [name, (server.address() as AddressInfo).port]));
  const free = servers.filter(({ name }) => !script.occupied.includes(name));
  await Promise.all(free.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return { numbers, held: servers.filter(({ name }) => script.occupied.includes(name)).map(({ server }) => server) };
}

async function holdPort(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

class Performance {
  readonly #script: Script;
  readonly #executable: string;
  readonly #directory: string;
  readonly #opamp: OpampListener | null;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #answers: string[] = [];
  #stdout = "";
  #stderr = "";
  #ended = false;
  #check: () => void = () => undefined;

  constructor(script: Script, executable: string, directory: string, opamp: OpampListener | null, ports: ReadonlyMap<string, number>) {
    this.#script = script;
    this.#executable = executable;
    this.#directory = directory;
    this.#opamp = opamp;
    this.#ports = ports;
  }

  async run(): Promise<Seen> {
    for (const [name, text] of Object.entries(this.#script.files)) this.#write(name, text);
    const child = spawn(this.#executable, this.#script.args.map((arg) => this.#fill(arg)), {
      cwd: this.#directory,
      env: { PATH: process.env["PATH"], ...this.#script.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const late = new AbortController();
    const cancel = systemClock.after(RUN_MS_MAX, () => {
      late.abort();
      child.kill("SIGKILL");
    });
    if (this.#opamp !== null) this.#opamp.onNews = () => this.#check();
    child.stdout.on("data", (data: Buffer) => this.#hear(() => (this.#stdout += data.toString())));
    child.stderr.on("data", (data: Buffer) => this.#hear(() => (this.#stderr += data.toString())));
    const exit = new Promise<number | string>((resolve) => {
      child.on("close", (code, signal) => {
        this.#hear(() => (this.#ended = true));
        resolve(code ?? signal ?? "unknown");
      });
    });
    for (const step of this.#script.steps) await this.#perform(step, child);
    const ended = await exit;
    cancel();
    await this.#until(() => this.#opamp?.links.every((link) => link.closed) ?? true);
    return this.#seen(late.signal.aborted ? "did not end" : ended);
  }

  #hear(note: () => void): void {
    note();
    this.#check();
  }

  /** Resolves when the condition holds, or when the process has ended and it never will. */
  async #until(condition: () => boolean, orEnd = false): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (!condition() && !(orEnd && this.#ended)) return;
        this.#check = () => undefined;
        resolve();
      };
      this.#check();
    });
  }

  async #perform(step: Step, child: ChildProcess): Promise<void> {
    const link = "link" in step ? step.link : 0;
    const at = (): OpampListener["links"][number] | undefined => this.#opamp?.links[link];
    switch (step.do) {
      case "await-output": {
        const text = this.#fill(step.text);
        // What was waited for once must come again the next time.
        await this.#until(() => this.#unread().includes(text), true);
        this.#read += this.#unread().indexOf(text) + text.length;
        return;
      }
      case "await-link":
        return this.#until(() => at() !== undefined, true);
      case "await-healthy":
        return this.#until(() => at()?.messages.some(({ health }) => health?.status === "StatusOK") === true, true);
      case "await-messages":
        return this.#until(() => (at()?.messages.length ?? 0) >= step.count, true);
      case "ask-components":
        return at()?.ask(2n);
      case "ask-full-state":
        return at()?.ask(1n);
      case "cut":
        return at()?.cut();
      case "signal":
        // Between its last word and its first look at signals there is nothing to wait for.
        await systemClock.sleep(SETTLE_MS);
        child.kill(step.signal);
        return;
      case "write":
        return this.#write(step.file, step.text);
      case "request":
        return this.#request(step);
    }
  }

  #read = 0;

  #unread(): string {
    return this.#stderr.slice(this.#read);
  }

  async #request(step: Extract<Step, { do: "request" }>): Promise<void> {
    const headers = step.type === undefined ? {} : { "content-type": step.type };
    const response = await fetch(this.#fill(step.url), { method: step.method, headers, ...(step.body === undefined ? {} : { body: step.body }) });
    const body = (await response.text())
      .split("\n")
      .filter((line) => !line.startsWith("#") && !/^(otelcol|promhttp)_/.test(line))
      .join("\n")
      .replaceAll(/"(upSince|uptime)":"[^"]+"/g, '"$1":"<time>"');
    this.#answers.push(normaliseText(`${response.status} ${response.headers.get("content-type")?.split(";", 1)[0] ?? ""} ${body.trim()}`, this.#names()));
  }

  #seen(exit: number | string): Seen {
    const names = this.#names();
    const { log, error } = readLog(this.#stderr, names);
    const messages = this.#opamp?.links.flatMap((link) => link.messages) ?? [];
    const config = messages.find((message) => message.effectiveConfig !== undefined)?.effectiveConfig?.configMap?.configMap[""]?.body;
    const seen: Seen = {
      exit,
      stdout: lines(normaliseText(this.#stdout, names)),
      error,
      log,
      links: this.#opamp?.links.map(readLink) ?? [],
      description: readDescription(messages[0], names),
      effectiveConfig: config === undefined ? [] : lines(normaliseText(Buffer.from(config).toString(), names)),
      components: readComponents(messages),
      answers: this.#answers,
    };
    return { ...seen, ...Object.fromEntries(this.#script.racy.map((field) => [field, []])) };
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#directory, name), this.#fill(text));
  }

  #fill(text: string): string {
    return text
      .replaceAll(/\{\{port:(\w+)\}\}/g, (_, name: string) => String(this.#ports.get(name)))
      .replaceAll("{{opamp}}", this.#opamp?.endpoint ?? "");
  }

  #names(): Names {
    const ports = [...this.#ports].map(([name, port]) => [String(port), `{{port:${name}}}`] as const);
    return new Map([...(this.#opamp === null ? [] : [[this.#opamp.endpoint, "{{opamp}}"] as const]), ...ports]);
  }
}

function lines(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
