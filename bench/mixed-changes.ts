/** A long series of configurations for the stand-in Collector, good and bad ones mixed: ten in turn, each with a text of its own. */
import { nopPipeline } from "../test/interop/support/configs.js";

export interface MixedChange {
  readonly kind: string;
  readonly body: string;
  readonly outcome: "APPLIED" | "FAILED";
}

/** Each call answers with the next one. */
export function mixedChanges(): () => MixedChange {
  let made = 0;
  return () => {
    const round = Math.floor(made / turns.length);
    const turn = turns[made++ % turns.length];
    if (turn === undefined) throw new Error("nothing to take in turn");
    return turn(round);
  };
}

const turns: readonly ((round: number) => MixedChange)[] = [
  (round) => good(`one${round}`),
  (round) => refused(`one${round}`),
  (round) => good(`two${round}`),
  (round) => ({ ...good(`one${round}`), kind: "flipping back" }),
  (round) => crashing(`one${round}`),
  // The same content under another hash.
  (round) => ({ kind: "known to crash", body: `# again\n${crashing(`one${round}`).body}`, outcome: "FAILED" }),
  (round) => ({ kind: "empty", body: `# ${round}\n`, outcome: "APPLIED" }),
  (round) => crashing(`two${round}`),
  (round) => good(`three${round}`),
  (round) => ({ kind: "no YAML", body: `receivers: [unclosed ${round}\n`, outcome: "FAILED" }),
];

function good(name: string): MixedChange {
  return { kind: "good", body: nopPipeline(name), outcome: "APPLIED" };
}

function refused(name: string): MixedChange {
  return { kind: "refused", body: nopPipeline(name).replace("receivers:\n", "receivers:\n  no_such_receiver:\n"), outcome: "FAILED" };
}

/** By the stand-in's extension that misbehaves on purpose. */
function crashing(name: string): MixedChange {
  const body = nopPipeline(name).replace("service:\n", "extensions:\n  standin_faults:\n    die_after: 0s\nservice:\n  extensions: [standin_faults]\n");
  return { kind: "crashing", body, outcome: "FAILED" };
}
