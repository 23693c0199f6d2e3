/** Something whose configuration changes to and fro: a supervised host, or a Collector by hand. Both begin up and running. */
import { BareCollector } from "./bare-collector.js";
import { otlpYaml, quietOtlpYaml } from "./configs.js";
import { freePort } from "./free-port.js";
import { Host } from "./host.js";
import type { Millis } from "../src/lib/clock.js";
import type { Bench, SupervisorProgram } from "./row.js";

export interface Changing {
  /** Where its OTLP/HTTP receiver listens, before and after each change. */
  readonly port: number;
  /** Resolves with the time that the change took. */
  change(): Promise<Millis>;
  close(): Promise<void>;
}

export interface ChangingByHand extends Changing {
  /** Resolves with the time that validating the next configuration took. */
  validate(): Promise<Millis>;
}

/** From sending to APPLIED. */
export async function changingHost(bench: Bench, supervisor: SupervisorProgram): Promise<Changing> {
  const port = await freePort();
  const host = await Host.create(bench, supervisor);
  const next = inTurn([otlpYaml(port, "debug"), otlpYaml(port, "nop")]);
  await host.startHealthy();
  await host.apply(next());
  return {
    port,
    async change() {
      const { offered, applied } = await host.apply(next());
      return applied.atMs - offered.sentAtMs;
    },
    close: () => host.close(),
  };
}

/** From SIGTERM to the open port of the next one. */
export async function changingByHand(bench: Bench): Promise<ChangingByHand> {
  const port = await freePort();
  const bare = new BareCollector(bench, port);
  const next = inTurn(["debug", "nop"].map((exporter) => bare.write(`${exporter}.yaml`, quietOtlpYaml(port, exporter))));
  let upcoming = next();
  await bare.start(upcoming);
  upcoming = next();
  return {
    port,
    validate: () => bare.validate(upcoming),
    async change() {
      const config = upcoming;
      upcoming = next();
      return (await bare.stop()) + (await bare.start(config));
    },
    close: () => bare.close(),
  };
}

function inTurn<T>(values: readonly T[]): () => T {
  let taken = 0;
  return () => {
    const value = values[taken++ % values.length];
    if (value === undefined) throw new Error("nothing to take in turn");
    return value;
  };
}
