/** Of the trees of one link, the core sees each change of the verdict at once and the newest tree a few times a second. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, onTestFinished, test } from "vitest";
import { ComponentHealthSchema } from "../../src/gen/opamp/v1/opamp_pb.js";
import { LinkHealth, type HealthNews } from "../../src/opamp/extension-health.js";
import { ManualClock } from "../support/manual-clock.js";

function link() {
  const clock = new ManualClock();
  const news: HealthNews[] = [];
  const malformed: unknown[] = [];
  const health = new LinkHealth({ clock, onNews: (item) => news.push(item), onMalformed: (error) => malformed.push(error) });
  onTestFinished(() => health.close());
  const say = (healthy: boolean, status: string, lastError = ""): boolean =>
    health.receive(toBinary(ComponentHealthSchema, create(ComponentHealthSchema, { healthy, status, lastError, statusTimeUnixNano: BigInt(clock.now()) })));
  const heard = (): string[] => news.splice(0).map(({ verdict, error, health: tree }) => [verdict, error, `(${tree.statusTimeUnixNano})`].filter(Boolean).join(" "));
  return { clock, health, malformed, say, heard };
}

describe("a start", () => {
  test("as it is measured: nothing waits for a timer", () => {
    const { clock, say, heard } = link();
    say(false, "StatusStarting");
    expect(heard()).toEqual(["starting (1000)"]);
    say(true, "StatusOK");
    expect(heard()).toEqual(["healthy (1000)"]);
    expect(clock.pending).toEqual([]);
  });

  test("a bare healthy counts after 250 ms", () => {
    const { clock, say, heard } = link();
    say(true, "");
    expect(heard()).toEqual(["starting (1000)"]);
    clock.advance(249);
    expect(heard()).toEqual([]);
    clock.advance(1);
    expect(heard()).toEqual(["healthy (1000)"]);
  });

  test("a second bare healthy does not make the wait longer, and its tree is the one that is told", () => {
    const { clock, say, heard } = link();
    say(true, "");
    clock.advance(100);
    say(true, "");
    clock.advance(150);
    expect(heard()).toEqual(["starting (1000)", "healthy (1100)"]);
  });

  test.each([
    ["by a start", false, "StatusStarting", "starting (1100)"],
    ["by an error", false, "StatusRecoverableError", "unhealthy it reports StatusRecoverableError (1100)"],
    ["by a stop", false, "StatusStopping", "stopping (1100)"],
  ])("a bare healthy that is contradicted %s never counts", (_name, healthy, status, expected) => {
    const { clock, say, heard } = link();
    say(true, "");
    clock.advance(100);
    say(healthy, status);
    clock.advance(10_000);
    const all = heard();
    expect(all[0]).toBe("starting (1000)");
    expect(all.at(-1)).toBe(expected);
    expect(all.join()).not.toMatch(/(^|,)healthy/);
  });

  test("while a bare healthy waits, what was told before stands", () => {
    const { clock, say, heard } = link();
    say(false, "StatusPermanentError", "no disk");
    say(true, "");
    expect(heard()).toEqual(["unhealthy no disk (1000)"]);
    clock.advance(249);
    expect(heard()).toEqual([]);
    clock.advance(1);
    expect(heard()).toEqual(["healthy (1000)"]);
  });
});

describe("a large configuration", () => {
  test("78 trees of one verdict are told a few times, the newest last", () => {
    const { clock, say, heard } = link();
    for (let index = 0; index < 78; index++) {
      say(true, "StatusOK");
      clock.advance(10);
    }
    clock.advance(1_000);
    expect(heard()).toEqual(["healthy (1000)", "healthy (1190)", "healthy (1390)", "healthy (1590)", "healthy (1770)"]);
    expect(clock.pending).toEqual([]);
  });

  test("a change of the verdict does not wait for the next tree", () => {
    const { clock, say, heard } = link();
    say(true, "StatusOK");
    clock.advance(10);
    say(true, "StatusOK");
    clock.advance(10);
    say(false, "StatusFatalError", "port in use");
    expect(heard()).toEqual(["healthy (1000)", "unhealthy port in use (1020)"]);
    clock.advance(1_000);
    expect(heard()).toEqual([]);
  });

  test("another error under the same verdict comes with the next tree", () => {
    const { clock, say, heard } = link();
    say(false, "StatusFatalError", "one");
    say(false, "StatusFatalError", "two");
    say(false, "StatusFatalError", "three");
    clock.advance(200);
    expect(heard()).toEqual(["unhealthy one (1000)", "unhealthy three (1000)"]);
  });

  test("one that flaps without end is told ten changes at once, then five a second", () => {
    const { clock, say, heard } = link();
    for (let index = 0; index < 1_000; index++) {
      say(index % 2 === 0, index % 2 === 0 ? "StatusOK" : "StatusRecoverableError");
      clock.advance(2);
    }
    clock.advance(1_000);
    const told = heard();
    // In two seconds: ten changes, then five a second, and between them at most five trees a second.
    expect(told.slice(0, 10).map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? "healthy" : "unhealthy")));
    expect(told.length).toBeLessThanOrEqual(10 + 2 * 5 + 2 * 5);
    expect(told.at(-1)).toBe("unhealthy it reports StatusRecoverableError (2998)");
  });
});

describe("what is no health message", () => {
  test("is said to be none", () => {
    const { health } = link();
    expect(health.receive(Uint8Array.of(0xff, 0xff))).toBe(false);
    expect(health.receive(Uint8Array.of(0x32, 0x05, 0x01))).toBe(false);
  });

  test("also where only its tree is broken", () => {
    const { health, malformed, heard } = link();
    // Healthy, StatusOK, and a map entry that says nothing sensible.
    expect(health.receive(Uint8Array.of(0x08, 0x01, 0x22, 0x08, ...Buffer.from("StatusOK"), 0x32, 0x01, 0xff))).toBe(true);
    expect(malformed).toHaveLength(1);
    expect(heard()).toEqual([]);
  });
});

test("a link that has ended says nothing more", () => {
  const { clock, health, say, heard } = link();
  say(true, "");
  say(true, "StatusOK");
  say(true, "StatusOK");
  heard();
  health.close();
  say(false, "StatusFatalError");
  clock.advance(10_000);
  expect(heard()).toEqual([]);
  expect(clock.pending).toEqual([]);
});
