/** The feature gates of the recorded Collector build; only `service.AllowNoPipelines` changes what the stand-in does. */
export type GateParse = { readonly ok: true; readonly enabled: ReadonlySet<string> } | { readonly ok: false; readonly error: string };

interface Gate {
  readonly id: string;
  readonly enabled: boolean;
  readonly stage: "Alpha" | "Beta" | "Stable";
}

/** @param lists each one a value of `--feature-gates`, e.g. `service.AllowNoPipelines,-otelcol.printInitialConfig`. */
export function parseGates(lists: readonly string[]): GateParse {
  const enabled = new Set(GATES.filter((gate) => gate.enabled).map((gate) => gate.id));
  for (const list of lists) {
    for (const item of list.split(",")) {
      const id = item.replace(/^[-+]/, "");
      if (id === "" && list === "") continue;
      if (!GATES.some((gate) => gate.id === id)) {
        const valid = GATES.map((gate) => gate.id).join(" ");
        return { ok: false, error: `invalid argument ${JSON.stringify(list)} for "--feature-gates" flag: no such feature gate ${JSON.stringify(id)}. valid gates: [${valid}]` };
      }
      if (item.startsWith("-")) enabled.delete(id);
      else enabled.add(id);
    }
  }
  return { ok: true, enabled };
}

/** The table of `featuregate`: a header line, then one gate a line, its name first. */
export function listGates(): string {
  const width = Math.max(...GATES.map((gate) => gate.id.length)) + 2;
  const row = (id: string, enabled: string, stage: string, description: string): string =>
    `${id.padEnd(width)}${enabled.padEnd(9)}${stage.padEnd(8)}${description}\n`;
  const rows = GATES.map((gate) => row(gate.id, String(gate.enabled), gate.stage, describe(gate.id)));
  return row("ID", "Enabled", "Stage", "Description") + rows.join("");
}

/** The page of `featuregate <id>`, or undefined when there is no such gate. */
export function showGate(id: string): string | undefined {
  const gate = GATES.find((one) => one.id === id);
  if (gate === undefined) return undefined;
  return `Feature: ${gate.id}\nEnabled: ${gate.enabled}\nStage: ${gate.stage}\nDescription: ${describe(id)}\n`;
}

function describe(id: string): string {
  return id === ALLOW_NO_PIPELINES ? "Runs without any pipeline." : "Accepted and without effect in the stand-in.";
}

export const ALLOW_NO_PIPELINES = "service.AllowNoPipelines";
export const PROFILES_SUPPORT = "service.profilesSupport";

const GATES: readonly Gate[] = [
  { id: "confighttp.framedSnappy", enabled: true, stage: "Beta" },
  { id: "configoptional.AddEnabledField", enabled: true, stage: "Beta" },
  { id: "confmap.enableMergeAppendOption", enabled: false, stage: "Alpha" },
  { id: "confmap.newExpandedValueSanitizer", enabled: true, stage: "Beta" },
  { id: "exporter.PersistRequestContext", enabled: true, stage: "Beta" },
  { id: "extension.healthcheck.useComponentStatus", enabled: false, stage: "Alpha" },
  { id: "extension.opampextension.RemoteRestarts", enabled: false, stage: "Alpha" },
  { id: "filelog.allowFileDeletion", enabled: false, stage: "Alpha" },
  { id: "filelog.allowHeaderMetadataParsing", enabled: true, stage: "Beta" },
  { id: "filelog.decompressFingerprint", enabled: true, stage: "Stable" },
  { id: "filelog.mtimeSortType", enabled: false, stage: "Alpha" },
  { id: "filelog.protobufCheckpointEncoding", enabled: false, stage: "Alpha" },
  { id: "filelog.windows.caseInsensitive", enabled: false, stage: "Alpha" },
  { id: "filter.filterlog.useOTTLBridge", enabled: false, stage: "Alpha" },
  { id: "filter.filtermetric.useOTTLBridge", enabled: false, stage: "Alpha" },
  { id: "filter.filterspan.useOTTLBridge", enabled: false, stage: "Alpha" },
  { id: "hostmetrics.process.bootTimeCache", enabled: true, stage: "Beta" },
  { id: "logs.assignKeys", enabled: true, stage: "Beta" },
  { id: "logs.jsonParserArray", enabled: true, stage: "Beta" },
  { id: "otelcol.printInitialConfig", enabled: true, stage: "Beta" },
  { id: "ottl.PanicDuplicateName", enabled: true, stage: "Beta" },
  { id: "ottl.contexts.enableOTelColContext", enabled: true, stage: "Beta" },
  { id: "parser.uri.ecscompliant", enabled: false, stage: "Alpha" },
  { id: "pdata.enableRefCounting", enabled: true, stage: "Beta" },
  { id: "pdata.useCustomProtoEncoding", enabled: true, stage: "Stable" },
  { id: "pdata.useProtoPooling", enabled: false, stage: "Alpha" },
  { id: "receiver.hostmetricsreceiver.UseLinuxMemAvailable", enabled: true, stage: "Beta" },
  { id: "receiverhelper.newReceiverMetrics", enabled: false, stage: "Alpha" },
  { id: ALLOW_NO_PIPELINES, enabled: false, stage: "Alpha" },
  { id: PROFILES_SUPPORT, enabled: false, stage: "Alpha" },
  { id: "stanza.synchronousLogEmitter", enabled: false, stage: "Alpha" },
  { id: "telemetry.UseLocalHostAsDefaultMetricsAddress", enabled: true, stage: "Beta" },
  { id: "telemetry.newPipelineTelemetry", enabled: false, stage: "Alpha" },
];
