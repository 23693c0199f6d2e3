/** From the moment that the server sends a configuration to the arrival of APPLIED, against a person who does it by hand. */
import { alternate } from "../alternate.js";
import { changingByHand, changingHost } from "../changing.js";
import type { Row } from "../row.js";
import { atMostAbove } from "../samples.js";

const MORE_MS = 120;
const BARE = "bare (validate + stop + start)";

export const remoteConfigRow: Row = {
  name: "remote-config",
  async measure(bench) {
    const byHand = await changingByHand(bench);
    const hosts = await Promise.all(bench.supervisors.map(async (one) => ({ name: one.name, host: await changingHost(bench, one) })));
    const series = await alternate(bench, [
      { name: "bare", take: async () => ({ total: (await byHand.validate()) + (await byHand.change()) }) },
      ...hosts.map(({ name, host }) => ({ name, take: async () => ({ applied: await host.change() }) })),
    ]);
    await Promise.all([byHand, ...hosts.map(({ host }) => host)].map((one) => one.close()));
    const bare = series.of("bare", "total");
    return [
      {
        what: "remote configuration sent to APPLIED received",
        unit: "ms",
        ours: series.of("ours", "applied"),
        go: series.of("go", "applied"),
        bare: { what: BARE, samples: bare },
        limit: atMostAbove(bare, BARE, MORE_MS, "ms"),
      },
    ];
  },
};
