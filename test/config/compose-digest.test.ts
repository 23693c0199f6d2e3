/** The digest is the identity of a configuration: equal content, equal digest, else Collectors restart for nothing. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { composeConfig } from "../../src/config/compose.js";
import type { ComposeInput } from "../../src/config/compose.js";
import { composeInput, INSTANCE_UID, remoteConfig } from "./compose-input.js";

async function compose(body: string, given: Partial<ComposeInput> = {}) {
  const { prepared } = await composeConfig(composeInput({ remote: remoteConfig({ "": body }), ...given }), new AbortController().signal);
  return prepared;
}

const BODY = "receivers:\n  otlp: {protocols: {http: {endpoint: x}, grpc: {max: 0123}}}\n  nop:\nservice: {pipelines: {traces: {receivers: [otlp, nop]}}}\n";

test("is the SHA-256 of the text without the instance uid, so that it outlives a new identity", async () => {
  const { digest, text } = await compose(BODY);
  expect(digest).toBe(createHash("sha256").update(text.replaceAll(INSTANCE_UID, "")).digest("hex"));
  const renamed = await compose(BODY, { instanceUid: "0190f7a2-0000-7000-8000-000000000002" });
  expect(renamed.digest).toBe(digest);
  expect(renamed.text).toContain('instance_uid: "0190f7a2-0000-7000-8000-000000000002"');
});

test("does not depend on the order of keys, on comments, on layout or on needless quotes", async () => {
  const other =
    '# a comment\n"service":\n    pipelines:\n        traces:\n            receivers:\n            - "otlp"\n            - nop # another\n' +
    "receivers::nop:\nreceivers:\n  otlp:\n    protocols:\n      'grpc': {max: 0123}\n      http:\n        endpoint: 'x'\n";
  expect((await compose(other)).digest).toBe((await compose(BODY)).digest);
});

test("does not depend on the server's hash, nor on how the content is spread over files", async () => {
  const split = remoteConfig({ a: BODY.slice(0, BODY.indexOf("service:")), b: BODY.slice(BODY.indexOf("service:")) });
  expect((await compose("", { remote: { ...split, hash: "other" } })).digest).toBe((await compose(BODY)).digest);
});

test.each([
  ["a number that means another one to Go", BODY.replace("0123", "123")],
  ["a text instead of a number", BODY.replace("0123", '"0123"')],
  ["the order of a list", BODY.replace("otlp, nop", "nop, otlp")],
])("depends on %s", async (_what, body) => {
  expect((await compose(body)).digest).not.toBe((await compose(BODY)).digest);
});

test("the text holds nothing that changes with a start: composed twice it is the same bytes", async () => {
  const first = await compose(BODY);
  const second = await compose(BODY);
  expect(second).toEqual(first);
  expect(first.remoteHash).toBe("ab12");
  expect(first.text).not.toContain(String(process.pid));
});

test("without a remote configuration there is no remote hash", async () => {
  expect((await compose("", { remote: null })).remoteHash).toBeNull();
});
