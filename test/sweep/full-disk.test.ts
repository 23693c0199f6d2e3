/**
 * The disk of the built program is full from a chosen step of a rollout on: everything that needs space fails with
 * ENOSPC until space returns. What runs goes on and is restarted after a crash, nothing new begins, the server is told
 * why, and the files that were there stay whole. Afterwards everything recovers by itself. By default the disk fills up
 * at each write and once at each other kind of step; `SWEEP=all` takes every step.
 */
import { afterAll, expect, test } from "vitest";
import { ROLLOUT } from "./support/courses.js";
import { imageOf } from "./support/disk.js";
import { loadSound, stateOf } from "./support/images.js";
import { wordsOf, type Step } from "./support/step.js";
import { sweep } from "./support/sweep.js";
import { SweptHost } from "./support/swept-host.js";

const ALL = process.env["SWEEP"] === "all";
/** A failed save is tried again after 5 s, so these hosts mostly wait. */
const HOSTS = 4;
/** Writes of a rollout: those of its saves, of the configuration that runs, of the record of its process. */
const WRITES_MIN = 9;

const points: Point[] = [];
const said: string[] = [];
afterAll(() => console.log(`full disk: ${said.join("; ")}`));

interface Point {
  readonly step: string;
  readonly skip: number;
}

test("a rollout has many steps that need space", { timeout: 60_000 }, async () => {
  const host = await SweptHost.create();
  const steps: Step[] = [];
  await host.record(ROLLOUT, (step) => steps.push(step));
  const counts = new Map<string, number>();
  const kinds = new Set<string>();
  for (const step of steps.filter(({ does, phase }) => phase === "before" && does !== "remove")) {
    const words = wordsOf(step);
    const skip = counts.get(words) ?? 0;
    counts.set(words, skip + 1);
    const isWrite = step.does === "write" && (step.name !== "history.jsonl" || skip === 0);
    if (ALL || isWrite || !kinds.has(step.does)) points.push({ step: words, skip });
    kinds.add(step.does);
  }
  said.push(`${points.length} of ${[...counts.values()].reduce((sum, count) => sum + count)} steps of a rollout that need space`);
  expect(points.filter(({ step }) => step.includes(" write ")).length).toBeGreaterThanOrEqual(WRITES_MIN);
});

test("a disk that is full from there on stops nothing that runs, and is forgotten once it has space", { timeout: 1_800_000 }, async () => {
  const failures = await sweep({ points, hosts: HOSTS, wordsOf: wordsOfPoint, visit: fillAt });
  said.push(`${points.length - failures.length} times everything ran on and recovered`);
  expect(failures.join("\n")).toBe("");
});

test("a reload for which there is no room is followed by a restart with what is good, and made when somebody asks", { timeout: 60_000 }, async () => {
  const host = await SweptHost.create();
  await host.liveWith({ use_hup_config_reload: true });
  const { agent } = host.stage;
  const pid = await host.stage.collector();
  const { hash: good } = host.goal;
  let isFull = true;
  await host.begin(ROLLOUT, (step) => (isFull && step.phase === "before" && step.does === "rename" && step.to === "effective.yaml" ? "full" : "go"));
  const { hash, runs } = host.goal;
  const { error, is } = await host.stage.outcome(hash);
  expect([is, error]).toEqual(["failed", expect.stringMatching(/^the Collector could not be reloaded: .*ENOSPC.*; configuration [0-9a-f]{12}, which worked before, runs instead$/s)]);
  expect(error).toContain(good.slice(0, 12));
  await host.stage.until("what is good", () => agent.healthy && agent.effectiveConfig.includes("nop/first:"));
  const next = await host.stage.collector();
  expect(next, "what it runs after a reload in vain only a restart can tell").not.toBe(pid);

  isFull = false;
  const known = agent.statuses.length;
  host.supervisor.signal("SIGHUP");
  expect(await host.stage.outcome(hash, known)).toMatchObject({ is: "applied" });
  await host.stage.until("the new one", () => agent.healthy && agent.effectiveConfig.includes(runs));
  expect(await host.stage.collector()).toBe(next);
  await host.gate.disarm();
  await host.atRest();
});

function wordsOfPoint({ skip, step }: Point): string {
  return `full ${step}${skip === 0 ? "" : ` (number ${skip + 1})`}`;
}

async function fillAt(host: SweptHost, { skip, step: wanted }: Point): Promise<void> {
  const { agent } = host.stage;
  let left = skip;
  let isFull = false;
  await host.begin(ROLLOUT, (step) => {
    // What frees space works on a full disk too.
    isFull ||= step.phase === "before" && wordsOf(step) === wanted && left-- === 0;
    return isFull && step.phase === "before" && step.does !== "remove" ? "full" : "go";
  });
  const storage = (): string => agent.health?.componentHealthMap["supervisor"]?.componentHealthMap["storage"]?.status ?? "";
  await host.stage.until("a health tree that says so, and a healthy Collector", () => storage() === "failing" && agent.healthy);

  // A crash is restarted.
  const pid = await host.stage.collector();
  const startedAt = agent.health?.startTimeUnixNano;
  process.kill(pid, "SIGKILL");
  await host.stage.until("health again", () => agent.healthy && agent.health?.startTimeUnixNano !== startedAt);
  const next = await host.stage.collector();

  // Nothing new begins, and the files stay.
  const before = stateOf(imageOf(host.stage.host.storage));
  await host.act(ROLLOUT);
  const { hash, uid } = host.goal;
  const { error, is } = await host.stage.outcome(hash);
  expect([is, error]).toEqual(["failed", expect.stringMatching(/^cannot store the configuration, so it was not tried: .*ENOSPC/)]);
  expect(await host.stage.collector()).toBe(next);
  expect(storage()).toBe("failing");
  expect(stateOf(imageOf(host.stage.host.storage))).toEqual(before);
  expect((await loadSound(before, wanted)).instanceUid).toBe(uid);

  isFull = false;
  await host.supervisor.logs("Storage can be written again", host.supervisor.said("Storage can be written again").length + 1);
  await host.stage.until("a health tree that says so", () => storage() === "working");
  expect(agent.courseOf(hash).filter((status) => status !== "applying")).toEqual(["failed"]);
  expect(host.supervisor.isRunning).toBe(true);
  await host.gate.disarm();
  await host.act(ROLLOUT);
  await host.atRest();
}
