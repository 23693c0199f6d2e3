/**
 * The built program is killed (SIGKILL, by its parent) at every step that changes its storage directory, in the course
 * of a rollout, two rollbacks and a change of identity; with many of these deaths the disk loses what was not synced, as
 * in a power loss. The next life ends as if nothing had happened. `SWEEP=all` kills before and after each step, with
 * each kind of loss, which takes about ten minutes.
 */
import { afterAll, expect, test } from "vitest";
import { ON_PROBATION } from "../../src/storage/names.js";
import { COURSES, CRASH, ROLLOUT, type Goal } from "./support/courses.js";
import { Images } from "./support/images.js";
import { LEFT_OUT, pointsOf, wordsOfPoint, type Point } from "./support/points.js";
import { wordsOf, type Step } from "./support/step.js";
import { sweep } from "./support/sweep.js";
import { LONG_PROBATION, SweptHost } from "./support/swept-host.js";

const ALL = process.env["SWEEP"] === "all";
/** A hook that misses most of what happens must not go unnoticed: fewer steps than the courses can do with. */
const STEPS_MIN = [70, 44, 80, 30];
const KINDS: readonly Step["does"][] = ["create", "write", "sync", "rename", "sync-directory"];
/** Which files are stored at the same time is a matter of chance, so a few points may not come. */
const MISSED_SHARE_MAX = 0.1;
/** More waits than work: three hosts keep two processors busy. */
const HOSTS = 3;

interface Recording {
  readonly steps: readonly Step[];
  readonly images: Images;
  readonly from: Goal;
  readonly to: Goal;
}

const recordings: Recording[] = [];
const points: Point[] = [];
const said: string[] = [];
afterAll(() => console.log(`crash sweep: ${said.join("; ")}`));

test("the hook sees every step of each course", { timeout: 120_000 }, async () => {
  const host = await SweptHost.create();
  for (const course of COURSES) {
    const { goal: from } = host;
    const steps: Step[] = [];
    const images = new Images();
    await host.record(course, (step, disk) => {
      steps.push(step);
      images.add(host.stage.host.storage, disk, `${course.name}, ${wordsOf(step)}`);
    });
    recordings.push({ steps, images, from, to: host.goal });
    points.push(...pointsOf(course, steps, ALL));
  }
  said.push(`${recordings.reduce((sum, { steps }) => sum + steps.length, 0)} moments before and after a step`);
  for (const [index, { steps }] of recordings.entries()) {
    const name = COURSES[index]?.name ?? "";
    expect(steps.length, name).toBeGreaterThanOrEqual(STEPS_MIN[index] ?? Infinity);
    expect([...new Set(steps.map(({ does }) => does))], name).toEqual(expect.arrayContaining([...KINDS]));
  }
});

test("each disk that a death could leave at any of them loads without damage", { timeout: 120_000 }, async () => {
  for (const { from, images, to } of recordings) await images.check(from, to);
  const disks = recordings.reduce((sum, { images }) => sum + images.size, 0);
  said.push(`${disks} different disks loaded`);
  expect(disks).toBeGreaterThanOrEqual(60);
});

test("killed there, the next life has the same identity, one Collector and one final status", { timeout: 7_200_000 }, async () => {
  const missed: string[] = [];
  const visit = async (host: SweptHost, point: Point): Promise<void> => {
    if (!(await host.dieAt(point))) missed.push(wordsOfPoint(point));
  };
  const failures = await sweep({ points, hosts: HOSTS, wordsOf: wordsOfPoint, visit });
  const deaths = points.length - missed.length - failures.length;
  const counts = COURSES.map(({ name }) => `${points.filter(({ course }) => course.name === name).length} ${name}`);
  const kinds = [null, "lost", "torn"].map((loss) => `${points.filter((point) => point.loss === loss).length} ${loss === null ? "process alone" : `unsynced ${loss}`}`);
  said.push(`${deaths} of ${points.length} deaths survived (${counts.join(", ")}; ${kinds.join(", ")}), ${missed.length} did not come`);
  said.push(ALL ? "before and after each step, with each loss" : `after each step ${LEFT_OUT}; all with SWEEP=all`);
  expect(failures.join("\n")).toBe("");
  expect(missed.length / points.length, missed.join("\n")).toBeLessThan(MISSED_SHARE_MAX);
});

/** The only course in which what is applied stands in a file of its own. */
test("killed while a newer one comes during a probation, the next life goes on with what was applied", { timeout: 600_000 }, async () => {
  const host = await SweptHost.create();
  await host.liveWith({ config_probation: LONG_PROBATION });
  await applyNew(host);
  const steps: Step[] = [];
  await host.record(CRASH, (step) => steps.push(step), "on probation");
  const kept = pointsOf(CRASH, steps, true).filter(({ step }) => step.startsWith("after ") && step.includes(ON_PROBATION));
  expect(kept.length, steps.map(wordsOf).join("\n")).toBeGreaterThanOrEqual(4 * 3);
  const hosts = new WeakSet([host]);
  const visit = async (each: SweptHost, point: Point): Promise<void> => {
    if (!hosts.has(each)) await each.liveWith({ config_probation: LONG_PROBATION });
    hosts.add(each);
    await applyNew(each);
    expect(await each.dieAt(point, "on probation"), "it died there").toBe(true);
  };
  const failures = await sweep({ points: kept, hosts: HOSTS, wordsOf: wordsOfPoint, visit });
  said.push(`${kept.length - failures.length} of ${kept.length} deaths around the file of a probation survived`);
  expect(failures.join("\n")).toBe("");
});

async function applyNew(host: SweptHost): Promise<void> {
  await host.act(ROLLOUT);
  await host.atRest("on probation");
}
