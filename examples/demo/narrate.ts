/** What a person who watches the terminal wants to know, from what the server hears: up, down, applied, refused, gone. */
import { agentSummary, type AgentSummary } from "../server/agent-view.js";
import type { Agent, Offer } from "../server/agent.js";
import type { Fleet } from "../server/fleet.js";

/** Calls `say` with one line (or a few, the further ones indented) for each thing that happens. */
export function narrate(fleet: Fleet, say: (line: string) => void): void {
  const seen = new Map<string, Seen>();
  fleet.on((news) => {
    if (news.is !== "changed") return;
    const agent = fleet.find(news.uid);
    if (agent === undefined) return;
    const now = look(agent, fleet);
    for (const line of changes(seen.get(news.uid) ?? null, now)) say(printable(line));
    seen.set(news.uid, now);
  });
}

interface Seen {
  readonly summary: AgentSummary;
  readonly config: string;
}

function look(agent: Agent, fleet: Fleet): Seen {
  return { summary: agentSummary(agent, fleet), config: agent.offer === null ? "" : configLine(agent.offer) };
}

function changes(before: Seen | null, { summary, config }: Seen): string[] {
  const lines: string[] = [];
  const { liveness, up, why, uid } = summary;
  const was = before?.summary;
  if (was === undefined) lines.push(`agent ${uid} has connected`);
  if (liveness === "gone" && was?.liveness !== "gone") lines.push(`agent ${why}`);
  else if (up === true && was?.up !== true) lines.push(`Collector is up: ${summary.name} ${summary.version}`);
  else if (up === false && liveness === "up" && was?.why !== why && !ON_THE_WAY.test(why)) lines.push(`Collector is not up: ${why}`);
  if (config !== "" && config !== (before?.config ?? "")) lines.push(config);
  return lines;
}

/** Passes in a moment, or was asked for. */
const ON_THE_WAY = /^the (configuration is being prepared|Collector is starting|Collector is being stopped|supervisor is shut down)/;

/** Empty: nothing worth a line. */
function configLine({ config, sentAt, statuses }: Offer): string {
  const last = statuses.at(-1);
  const name = `configuration ${Buffer.from(config.hash).toString("hex").slice(0, 8)}`;
  if (last === undefined) return sentAt === null ? "" : `${name} sent`;
  const took = sentAt === null ? "" : ` after ${last.at - sentAt} ms`;
  if (last.status === "APPLIED") return `${name} APPLIED${took}`;
  return last.status === "FAILED" ? `${name} FAILED${took}: ${last.error}` : `${name} sent`;
}

/** An agent's words must not steer the terminal. */
function printable(line: string): string {
  return line
    .trimEnd()
    .split("\n")
    .map((part) => part.replace(/\p{Cc}/gu, " "))
    .join("\n           ");
}
