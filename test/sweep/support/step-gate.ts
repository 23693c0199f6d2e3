/** The parent's side of the hook: reads what the program announces, and lets it go on, lets it fail, or keeps it standing. */
import { transform } from "esbuild";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../../../src/lib/clock.js";
import type { Armed, Leave, Step } from "./step.js";

/** A program at rest is soon quiet, but it shares the machine with others. */
const ARM_MS_MAX = 20_000;

export class StepGate {
  /** For the supervisor. */
  readonly env: NodeJS.ProcessEnv;
  /** Decides at each step; "hold" keeps the program there until it is killed. */
  onStep: (step: Step) => Leave | "hold" = () => "go";
  readonly #directory: string;
  readonly #armed: string;
  readonly #down: number;
  readonly #up: Socket;
  #armings = 0;
  #onArmed: (armed: string) => void = () => undefined;

  /** @param storage the storage directory whose changes are announced. */
  static async open(storage: string): Promise<StepGate> {
    const directory = await mkdtemp(join(tmpdir(), "opampsupervisor-gate-"));
    const hook = join(directory, "step-hook.mjs");
    const source = await readFile(join(import.meta.dirname, "step-hook.ts"), "utf8");
    await writeFile(hook, (await transform(source, { loader: "ts", format: "esm", target: "node20.19" })).code);
    execFileSync("mkfifo", ["-m", "600", join(directory, "up"), join(directory, "down")]);
    return new StepGate(directory, hook, storage);
  }

  private constructor(directory: string, hook: string, storage: string) {
    this.#directory = directory;
    this.#armed = join(directory, "armed");
    const [up, down] = [join(directory, "up"), join(directory, "down")];
    this.env = {
      NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`,
      SWEEP_ARMED: this.#armed,
      SWEEP_DIRECTORY: storage,
      SWEEP_DOWN: down,
      SWEEP_UP: up,
    };
    // Both ends are held here, so that neither side waits for the other to open, and a killed program ends nothing.
    const flags = constants.O_RDWR | constants.O_NONBLOCK;
    this.#down = openSync(down, flags);
    this.#up = new Socket({ fd: openSync(up, flags), readable: true, writable: false });
    this.#read();
  }

  /** What was begun before is done then, and each operation that follows is announced. Rejects when the program is never quiet. */
  arm(): Promise<void> {
    const token = String(++this.#armings);
    return new Promise((resolve, reject) => {
      const cancel = systemClock.after(ARM_MS_MAX, () => reject(new Error(`the program was not quiet within ${ARM_MS_MAX} ms, or has ended`)));
      this.#onArmed = (armed) => {
        if (armed !== token) return;
        cancel();
        resolve();
      };
      writeFileSync(this.#armed, token);
    });
  }

  /** What was announced is still answered; nothing more is announced. */
  disarm(): Promise<void> {
    return rm(this.#armed, { force: true });
  }

  async close(): Promise<void> {
    this.#up.destroy();
    closeSync(this.#down);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #read(): void {
    let rest = "";
    this.#up.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const said = JSON.parse(line) as Step | Armed;
        if ("armed" in said) {
          this.#onArmed(said.armed);
          continue;
        }
        const leave = this.onStep(said);
        if (leave !== "hold") writeSync(this.#down, leave === "full" ? "f" : "g");
      }
    });
  }
}
