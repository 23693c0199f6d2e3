/** The validator's own words are the reason; what it cannot say itself is said for it. */
import { describe, expect, test } from "vitest";
import { validateConfig, type ValidateOptions } from "../../src/collector/validate.js";
import { ManualClock } from "../support/manual-clock.js";
import { environment, failure, fixture } from "./support.js";

function validate(executable: string, rest: Partial<ValidateOptions> = {}) {
  return validateConfig({
    executable: executable.startsWith("/") ? executable : fixture(executable),
    path: "/s/validate.yaml",
    allowsNoPipelines: true,
    args: ["--feature-gates", "x"],
    env: environment,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    ...rest,
  });
}

test("silence and code 0 are a yes", async () => {
  expect(await validate("/bin/true")).toEqual({ ok: true });
});

test("the same arguments, environment and directory as the run", async () => {
  expect(await validate("shows-its-arguments.sh", { env: { ...environment, SECRET: "s1" }, cwd: "/" })).toEqual({
    ok: false,
    reason: "validate\n--config\n/s/validate.yaml\n--feature-gates\nservice.AllowNoPipelines\n--feature-gates\nx\nin / with SECRET=s1",
  });
});

test("its words, without the word that they are an error, and without empty lines", async () => {
  const result = await validate("collector.sh", { env: { ...environment, NO_EXTENSION: "1" } });
  expect(result).toEqual({
    ok: false,
    reason:
      "failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n" +
      "'extensions' unknown type: \"opamp\" for id: \"opamp\" (valid values: [health_check])\n" +
      "'service.telemetry.resource[attributes]' expected type 'string', got unconvertible type '[]interface {}'",
  });
});

describe("what it cannot say itself", () => {
  test.each([
    ["says-nothing.sh", "the Collector's validate command refused it with exit code 2 and said nothing"],
    ["kills-itself.sh", "the Collector's validate command was killed by SIGSEGV; its last words:\npanic: runtime error"],
    ["/nosuch/otelcol", "the configuration could not be validated: cannot run /nosuch/otelcol: there is no such file; correct agent.executable, or install the Collector there"],
  ])("%s", async (executable, reason) => {
    expect(await validate(executable)).toEqual({ ok: false, reason });
  });

  test("that it hangs", async () => {
    const clock = new ManualClock();
    const refused = validate("ignores-sigterm.sh", { clock, timeoutMs: 60_000 });
    clock.advance(60_000);
    expect(await refused).toMatchObject({ ok: false, reason: expect.stringMatching(/^the Collector's validate command did not end within 60 s and was killed; / ) as string });
  });

  test("that it prints without end", async () => {
    const result = await validate("floods.sh");
    expect(result).toMatchObject({ ok: false, reason: expect.stringMatching(/^the Collector's validate command printed without end and was killed/) as string });
    expect(JSON.stringify(result).length).toBeLessThan(4_000);
  });

  test("its last words behind 50 MB without a newline", async () => {
    expect(await validate("prints-a-huge-line.sh")).toMatchObject({ ok: false });
    expect(JSON.stringify(await validate("prints-a-huge-line.sh")).length).toBeLessThan(4_000);
  });
});

test("a grandchild that holds its pipes is not waited for", async () => {
  expect(await validate("leaves-a-grandchild.sh")).toEqual({ ok: false, reason: "gone already" });
});

test("a newer configuration ends the validation of an older one", async () => {
  const lifetime = new AbortController();
  const given = failure(validate("ignores-sigterm.sh", { signal: lifetime.signal }));
  lifetime.abort();
  expect((await given).code).toBe("aborted");
  expect((await failure(validate("/bin/true", { signal: lifetime.signal }))).code).toBe("aborted");
});
