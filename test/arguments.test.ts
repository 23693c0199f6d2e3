/** The command line as Go's flag package reads it. */
import { describe, expect, test } from "vitest";
import { parseArguments, usageText } from "../src/arguments.js";

describe("run", () => {
  test.each([
    [["--config=s.yaml"], "s.yaml"],
    [["--config", "s.yaml"], "s.yaml"],
    [["-config=s.yaml"], "s.yaml"],
    [["-config", "s.yaml"], "s.yaml"],
    [["--config=a.yaml", "--config", "b.yaml"], "b.yaml"],
    [["--config=a=b.yaml"], "a=b.yaml"],
    [["--config", "--version"], "--version"],
    [["--config="], ""],
    [["--config", ""], ""],
    [[], ""],
    [["--config=s.yaml", "extra", "--bogus"], "s.yaml"],
    [["extra", "--config=s.yaml"], ""],
    [["--config=s.yaml", "--", "--bogus"], "s.yaml"],
    [["-", "--bogus"], ""],
    [["", "--bogus"], ""],
    [["--config=a\nb"], "a\nb"],
  ])("%j", (argv, source) => {
    expect(parseArguments(argv)).toEqual({ is: "run", source, featureGates: [] });
  });

  const gate = "opampsupervisor.Extensions";
  test.each([
    [[`--feature-gates=${gate}`], [gate]],
    [[`--feature-gates=+${gate}`], [gate]],
    [["-feature-gates", `-${gate}`], []],
    [[`--feature-gates=${gate},-${gate}`], []],
    [[`--feature-gates=-${gate}`, `--feature-gates=${gate}`, `--feature-gates=+${gate}`], [gate]],
  ])("%j", (argv, featureGates) => {
    expect(parseArguments(argv)).toEqual({ is: "run", source: "", featureGates });
  });
});

test.each([["-h"], ["--h"], ["-help"], ["--help"], ["--help=x"]])("%s is help, whatever follows", (flag) => {
  expect(parseArguments([flag, "--bogus"])).toEqual({ is: "help" });
  expect(parseArguments(["--config=x", flag])).toEqual({ is: "help" });
});

test.each([["--version"], ["-version"]])("%s is version", (flag) => {
  expect(parseArguments([flag])).toEqual({ is: "version" });
});

describe("wrong usage", () => {
  test.each([
    [["--bogus"], "flag provided but not defined: -bogus"],
    [["--bogus=x"], "flag provided but not defined: -bogus"],
    [["-c", "x"], "flag provided but not defined: -c, did you mean --config?"],
    [["-v"], "flag provided but not defined: -v, did you mean --version?"],
    [["--set=a=b"], "flag provided but not defined: -set; settings are changed in the file, e.g. with ${env:NAME}"],
    [["--config"], "flag needs an argument: -config"],
    [["--config=x", "-feature-gates"], "flag needs an argument: -feature-gates"],
    [["---config=x"], "bad flag syntax: ---config=x"],
    [["-=x"], "bad flag syntax: -=x"],
    [["--=x"], "bad flag syntax: --=x"],
    [["--feature-gates=foo"], 'invalid value "foo" for flag -feature-gates: no such feature gate "foo"; known: opampsupervisor.Extensions'],
    [["--feature-gates="], 'invalid value "" for flag -feature-gates: no such feature gate ""; known: opampsupervisor.Extensions'],
    [
      ["--feature-gates=opampsupervisor.Extensions,-x"],
      'invalid value "opampsupervisor.Extensions,-x" for flag -feature-gates: no such feature gate "x"; known: opampsupervisor.Extensions',
    ],
  ])("%j", (argv, message) => {
    expect(parseArguments(argv)).toEqual({ is: "usage-error", message });
  });
});

test("the usage text names every flag and exit code", () => {
  for (const word of ["--config", "--feature-gates", "--version", "--help", "0 stopped", "1 cannot start", "2 wrong usage", "70 a bug"]) {
    expect(usageText).toContain(word);
  }
  expect(usageText.endsWith("\n")).toBe(true);
});
