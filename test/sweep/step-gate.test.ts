/** What the sweep rests upon: a step is what was begun after the hook was armed, and nothing else goes on beside it. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryDirectory } from "../storage/open-store.js";
import { StepGate } from "./support/step-gate.js";
import { wordsOf, type Step } from "./support/step.js";

/** A save that takes long, and afterwards a small one again and again. */
const PROGRAM = `
  import { open, rename, writeFile } from "node:fs/promises";
  const at = (name) => process.cwd() + "/" + name;
  const file = await open(at("slow.tmp"), "wx");
  for (let number = 0; number < 40; number++) await file.write(Buffer.alloc(1024 * 1024));
  await file.sync();
  await file.close();
  await rename(at("slow.tmp"), at("slow"));
  setInterval(() => void writeFile(at("quick"), "x"), 100);
`;

test("what was begun before is over when the hook is armed, and is no step", async () => {
  const storage = await temporaryDirectory();
  const gate = await StepGate.open(storage);
  onTestFinished(() => gate.close());
  const steps: Step[] = [];
  gate.onStep = (step) => {
    steps.push(step);
    return "go";
  };
  const program = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], { cwd: storage, env: { ...process.env, ...gate.env }, stdio: "inherit" });
  onTestFinished(() => void program.kill("SIGKILL"));
  await vi.waitFor(() => expect(existsSync(join(storage, "slow.tmp"))).toBe(true), { timeout: 10_000, interval: 1 });
  await gate.arm();
  expect(readdirSync(storage)).toContain("slow");
  await vi.waitFor(() => expect(steps.length).toBeGreaterThanOrEqual(4), { timeout: 10_000 });
  await gate.disarm();
  expect([...new Set(steps.map(wordsOf))]).toEqual(["before write quick", "after write quick"]);
});
