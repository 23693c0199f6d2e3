/** What a person reads when a remote configuration cannot be composed: the whole text, with the place and the remedy. */
import { expect, test } from "vitest";
import { composeConfig } from "../../src/config/compose.js";
import { composeInput, remoteConfig } from "./compose-input.js";

const FILE = 'remote configuration file "main"';

test.each([
  ["not YAML", "receivers: [\n", `${FILE}, line 2, column 1: not valid YAML: an opening [ or { has no closing one`],
  ["a tab", "a:\n\tb: 1\n", `${FILE}, line 2, column 1: not valid YAML: a tab is used for indentation; use spaces`],
  ["a text", "hello\n", `${FILE}: a configuration is a mapping (key: value), but this is a single value`],
  ["a list", "- a\n", `${FILE}: a configuration is a mapping (key: value), but this is a list`],
  ["two documents", "a: 1\n---\nb: 2\n", `${FILE}, line 2, column 1: more than one YAML document in the file, of which the Collector would read only the first; join them`],
  ["a stray %", "%receivers\n", `${FILE}, line 1, column 1: a line that begins with % is no YAML`],
  ["a key twice", "a: 1\nb: 2\na: 3\n", `${FILE}, line 3, column 1: the key "a" is given twice in one mapping`],
  ["a quoted key twice", 'a: {x: 1, "x": 2}\n', `${FILE}, line 1, column 11: the key "x" is given twice in one mapping`],
  ["a null key", "~: 1\n", `${FILE}, line 1, column 1: the key "~" would not be read as it is written; put it in quotes`],
  ["a hexadecimal key", "a: {0x10: 1}\n", `${FILE}, line 1, column 5: the key "0x10" would not be read as it is written; put it in quotes`],
  ["a mapping as key", "? {a: 1}\n: 2\n", `${FILE}, line 1, column 3: a key must be a text, not a mapping or a list`],
  ["a tagged key", "!!binary b3BhbXA=: 1\n", `${FILE}, line 1, column 10: a key must not have a tag`],
  ["an unknown alias", "a: *b\n", `${FILE}, line 1, column 4: the alias *b has no anchor in front of it`],
  ["an anchor in itself", "a: &a {b: [*a]}\n", `${FILE}, line 1, column 12: the anchor &a contains itself`],
  ["a wrong merge key", "a: {<<: 1}\n", `${FILE}, line 1, column 5: the merge key << takes a mapping or a list of mappings`],
  ["half a surrogate pair", 'a: "\\ud83d"\n', `${FILE}, line 1, column 4: half of a surrogate pair, which is no character`],
  [
    "an odd line break",
    "a: 1\u2028b: 2\n",
    `${FILE}, line 1, column 5: an unusual line break (a lone carriage return, U+0085, U+2028 or U+2029); use line feeds, or an escape in double quotes`,
  ],
  ["a reference for a section", "service: ${file:x}\n", `${FILE}: service is a single value; write it out as a mapping, since the supervisor adds to it`],
])("%s", async (_what, body, message) => {
  const composing = composeConfig(composeInput({ remote: remoteConfig({ main: body }) }), new AbortController().signal);
  await expect(composing).rejects.toMatchObject({ code: "config-refused", message });
});

test("bytes that are not UTF-8", async () => {
  const remote = { hash: "", files: [{ name: "main", body: Uint8Array.of(0x61, 0x3a, 0x20, 0xff), contentType: "", role: "" }] };
  const composing = composeConfig(composeInput({ remote }), new AbortController().signal);
  await expect(composing).rejects.toMatchObject({ code: "config-refused", message: `${FILE} is not UTF-8` });
});

test("a name of the server is shown quoted and shortened", async () => {
  const remote = remoteConfig({ [`../../etc/passwd\n${"x".repeat(500)}`]: "- a" });
  const composing = composeConfig(composeInput({ remote }), new AbortController().signal);
  const shown = JSON.stringify(`../../etc/passwd\n${"x".repeat(83)}…`);
  await expect(composing).rejects.toThrow(`remote configuration file ${shown}: a configuration is a mapping`);
});

test.each(["", "text/yaml", "TEXT/YAML; charset=utf-8", "application/yaml", "application/x-yaml", "application/json ;a=b"])(
  "the content type %j is taken",
  async (type) => {
    const { prepared } = await composeConfig(composeInput({ remote: remoteConfig({ main: '{"processors": {"batch": {}}}' }, type) }), new AbortController().signal);
    expect(prepared.text).toContain("processors:\n  batch: {}\n");
  },
);

test("a local file that is no file costs a warning, not the start", async () => {
  const { prepared, warnings } = await composeConfig(composeInput({ configFiles: ["/dev/null", "/"] }), new AbortController().signal);
  expect(warnings).toEqual([
    "/dev/null of agent.config_files is left out: it is not a regular file",
    "/ of agent.config_files is left out: it is not a regular file",
  ]);
  expect(prepared.runs).toBe(true);
});
