/** A configuration of a megabyte, validated by both supervisors: from sending it to the effective configuration at the server. */
import type { AgentToServer } from "../../src/gen/opamp/v1/opamp_pb.js";
import { alternate, type Sample } from "../alternate.js";
import { BareCollector } from "../bare-collector.js";
import { largeYaml, quietOtlpYaml } from "../configs.js";
import { freePort } from "../free-port.js";
import { Host } from "../host.js";
import type { Bench, Finding, Row, SupervisorProgram } from "../row.js";
import { median } from "../samples.js";

const GO_FACTOR = 2;
const NAME = "large";
/** Both supervisors give up on slow Collectors; this is no test of when. */
const AGENT = ["validate_config: true", "config_apply_timeout: 120s"];
const EFFECTIVE_MS_MAX = 120_000;

export const largeRow: Row = {
  name: "large",
  async measure(bench) {
    const port = await freePort();
    const text = largeYaml(port, NAME);
    bench.note(`the configuration has ${Buffer.byteLength(text)} bytes; validate_config is on in both supervisors`);
    const bare = new BareCollector(bench, port);
    const config = bare.write("large.yaml", `${text}  telemetry: {metrics: {level: none}}\n`);
    const series = await alternate(bench, [
      { name: "bare", take: () => bareOnce(bare, config) },
      ...bench.supervisors.map((supervisor) => ({ name: supervisor.name, take: () => sendOnce(bench, supervisor, text) })),
    ]);
    await bare.close();
    const go = series.of("go", "effective");
    return [
      {
        what: "1 MB configuration sent to effective configuration received",
        unit: "ms",
        ours: series.of("ours", "effective"),
        go,
        bare: { what: "bare (validate + start to open port)", samples: series.of("bare", "open") },
        limit: go.length === 0 ? null : limitOf(GO_FACTOR * median(go)),
      },
    ];
  },
};

function limitOf(value: number): Finding["limit"] {
  return { value, words: `${GO_FACTOR} x Go = ${value.toFixed(0)} ms` };
}

async function bareOnce(bare: BareCollector, config: string): Promise<Sample> {
  const open = (await bare.validate(config)) + (await bare.start(config));
  await bare.stop();
  return { open };
}

async function sendOnce(bench: Bench, supervisor: SupervisorProgram, text: string): Promise<Sample> {
  const host = await Host.create(bench, supervisor, { localYaml: quietOtlpYaml(await freePort(), "nop"), agent: AGENT });
  try {
    await host.startHealthy();
    const mark = host.server.mark();
    const { sentAtMs } = await host.server.send(text);
    const effective = await host.next(mark, isEffective, "the effective configuration", EFFECTIVE_MS_MAX);
    return { effective: effective.atMs - sentAtMs };
  } finally {
    await host.close();
  }
}

function isEffective({ effectiveConfig }: AgentToServer): boolean {
  const bodies = Object.values(effectiveConfig?.configMap?.configMap ?? {}).map(({ body }) => Buffer.from(body));
  return bodies.some((body) => body.includes(`filter/${NAME}_`));
}
