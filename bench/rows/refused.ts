/** The longest window in which an OTLP sender is refused while the configuration changes, against a bare stop and start. */
import { systemClock } from "../../src/lib/clock.js";
import { alternate, type Sample } from "../alternate.js";
import { changingByHand, changingHost, type Changing } from "../changing.js";
import type { Row } from "../row.js";
import { atMostAbove } from "../samples.js";
import { Sender } from "../sender.js";

const MORE_MS = 30;
const BARE = "bare stop + start";
/** Sending goes on for so long before and after the change. */
const AROUND_MS = 300;

export const refusedRow: Row = {
  name: "refused",
  async measure(bench) {
    const byHand = await changingByHand(bench);
    const hosts = await Promise.all(bench.supervisors.map(async (one) => ({ name: one.name, host: await changingHost(bench, one) })));
    const series = await alternate(bench, [
      { name: "bare", take: () => changeUnderLoad(byHand) },
      ...hosts.map(({ name, host }) => ({ name, take: () => changeUnderLoad(host) })),
    ]);
    await Promise.all([byHand, ...hosts.map(({ host }) => host)].map((one) => one.close()));
    const bare = series.of("bare", "longest");
    return [
      {
        what: "longest window in which a sender is refused during the change",
        unit: "ms",
        ours: series.of("ours", "longest"),
        go: series.of("go", "longest"),
        bare: { what: BARE, samples: bare },
        limit: atMostAbove(bare, BARE, MORE_MS, "ms"),
      },
    ];
  },
};

async function changeUnderLoad(changing: Changing): Promise<Sample> {
  const sender = new Sender(changing.port);
  let sent;
  try {
    await systemClock.sleep(AROUND_MS);
    await changing.change();
    await systemClock.sleep(AROUND_MS);
  } finally {
    sent = await sender.stop();
  }
  if (sent.refused === 0) throw new Error("no POST was refused: the change happened without a stop");
  return { longest: sent.longestRefusedMs };
}
