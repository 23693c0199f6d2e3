/** The description that the server gets: the Collector's own words, or what its extension is going to say; then overrides. */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { ReportedDescription } from "../../src/core/report.js";
import { KeyValueSchema, type KeyValue } from "../../src/gen/opamp/v1/anyvalue_pb.js";
import { AgentDescriptionSchema, type AgentDescription } from "../../src/gen/opamp/v1/opamp_pb.js";
import { describeAgent } from "../../src/opamp/description.js";
import { describeOperatingSystem } from "../../src/opamp/os-description.js";
import { host, OTHER_UID, UID } from "./support.js";

const nobody: ReportedDescription = {
  collector: null,
  serviceName: "otelcol",
  serviceVersion: "0.149.0",
  identifyingOverrides: {},
  nonIdentifyingOverrides: {},
};

function lines(attributes: readonly KeyValue[]): string[] {
  return attributes.map(({ key, value }) => `${key}=${value?.value.case === "stringValue" ? value.value.value : "(no text)"}`);
}

function said(description: AgentDescription): { identifying: string[]; nonIdentifying: string[] } {
  return { identifying: lines(description.identifyingAttributes), nonIdentifying: lines(description.nonIdentifyingAttributes) };
}

describe("description", () => {
  test("before the Collector spoke, in the order of keys", () => {
    expect(said(describeAgent(nobody, UID, () => host))).toEqual({
      identifying: [`service.instance.id=${UID}`, "service.name=otelcol", "service.version=0.149.0"],
      nonIdentifying: ["host.arch=amd64", "host.name=h1", "os.description=Debian 12", "os.type=linux"],
    });
  });

  test("overrides replace and add", () => {
    const overrides = { identifyingOverrides: { "client.id": "c1", "service.name": "mine" }, nonIdentifyingOverrides: { env: "prod", "os.type": "plan9" } };
    expect(said(describeAgent({ ...nobody, ...overrides }, UID, () => host))).toEqual({
      identifying: ["client.id=c1", `service.instance.id=${UID}`, "service.name=mine", "service.version=0.149.0"],
      nonIdentifying: ["env=prod", "host.arch=amd64", "host.name=h1", "os.description=Debian 12", "os.type=plan9"],
    });
  });

  test("the Collector's own words win over ours, its instance id follows the uid, the host is not asked", () => {
    const attribute = (key: string, value: string): KeyValue => create(KeyValueSchema, { key, value: { value: { case: "stringValue", value } } });
    const collector = create(AgentDescriptionSchema, {
      identifyingAttributes: [attribute("service.name", "otelcol-contrib"), attribute("service.instance.id", UID)],
      nonIdentifyingAttributes: [attribute("b", "2"), attribute("a", "1")],
    });
    const described = describeAgent({ ...nobody, collector }, OTHER_UID, () => {
      throw new Error("not needed");
    });
    expect(said(described)).toEqual({
      identifying: [`service.instance.id=${OTHER_UID}`, "service.name=otelcol-contrib"],
      nonIdentifying: ["a=1", "b=2"],
    });
  });

  test("what is not known is left out", () => {
    const { identifying } = said(describeAgent({ ...nobody, serviceName: "", serviceVersion: "" }, UID, () => host));
    expect(identifying).toEqual([`service.instance.id=${UID}`]);
  });
});

describe("operating system", () => {
  test.each([
    ["Debian", { "/etc/debian_version": "12.5\n", "/etc/os-release": "ID=debian\n" }, "Debian 12.5"],
    ["Ubuntu", { "/etc/debian_version": "bookworm/sid\n", "/etc/lsb-release": 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE="22.04"\n' }, "Ubuntu 22.04"],
    ["Rocky", { "/etc/redhat-release": "Rocky Linux release 9.3 (Blue Onyx)\n" }, "Rocky 9.3"],
    ["Red Hat", { "/etc/redhat-release": "Red Hat Enterprise Linux release 8.9 (Ootpa)\n" }, "Redhat 8.9"],
    ["Alpine", { "/etc/alpine-release": "3.19.1\n" }, "Alpine 3.19.1"],
    ["openSUSE", { "/etc/os-release": 'NAME="openSUSE Leap"\nID="opensuse-leap"\nVERSION_ID="15.5"\n' }, "Opensuse-Leap 15.5"],
    ["nothing readable", {}, "Linux"],
  ])("%s", (_name, files: Record<string, string>, expected) => {
    expect(describeOperatingSystem((path) => files[path] ?? null)).toBe(expected);
  });
});
