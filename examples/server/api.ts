/**
 * The JSON API under the page, also for tests and curl. Every answer is JSON; what is refused says why in `error`.
 *
 *   GET    /api/server                      endpoints, counts, bad mode
 *   GET    /api/agents                      all agents, in short
 *   GET    /api/agents/UID                  one agent, everything decoded
 *   GET    /api/agents/UID/messages?after=N messages both ways, newer than number N
 *   GET    /api/agents/UID/keys             each key that was sent, with its effective value
 *   PUT    /api/agents/UID/config           {"files": {"name": "body" | {"body", "contentType", "role"}}, "hash"?: "hex"}
 *   DELETE /api/agents/UID/config           stop wanting anything of it
 *   POST   /api/agents/UID/restart          the restart command
 *   POST   /api/agents/UID/new-identity     {"uid"?: "…"}
 *   POST   /api/agents/UID/full-state       ask for a full report
 *   GET, PUT /api/bad-mode, /api/agents/UID/bad-mode   see bad-mode.ts
 *   POST   /api/drop-connections            cut all connections of agents
 *   GET    /api/telemetry                   what the OTLP sink got
 *   GET    /api/events                      server-sent events
 */
import { z } from "zod";
import { agentSummary, agentView, effectiveFiles } from "./agent-view.js";
import { badModeSchema, type BadMode, type BadModes } from "./bad-mode.js";
import type { Fleet } from "./fleet.js";
import { keyView, yamlProblem } from "./key-view.js";
import { messageView } from "./message-view.js";
import type { OtlpSink } from "./otlp-sink.js";
import { Refused } from "./refused.js";
import type { ConfigFile } from "./remote-config.js";

export interface ApiContext {
  readonly fleet: Fleet;
  readonly modes: BadModes;
  readonly sink: OtlpSink | null;
  readonly dropConnections: () => void;
  readonly urls: () => Record<string, string | null>;
  readonly heartbeatMs: number;
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined for none. */
  readonly body: unknown;
}

type Handler = (context: ApiContext, request: ApiRequest, uid: string) => unknown;

const UID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const OK = { ok: true };
const FILES_MAX = 100;

const fileSchema = z.union([
  z.string(),
  z.strictObject({ body: z.string(), contentType: z.string().default("text/yaml"), role: z.string().default("") }),
]);
const configSchema = z.strictObject({
  files: z.record(z.string(), fileSchema).refine((files) => Object.keys(files).length <= FILES_MAX, `at most ${FILES_MAX} files`),
  /** Chosen by the caller instead of made from the files; for tests. */
  hash: z.string().regex(/^([0-9a-f]{2})*$/, "pairs of lower-case hex digits").optional(),
});
const identitySchema = z.strictObject({ uid: z.string().regex(new RegExp(`^${UID}$`), "a lower-case UUID").optional() });

const routes: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ["GET", path("/api/server"), ({ urls, modes, heartbeatMs }) => ({ urls: urls(), heartbeatMs, badMode: modes.get() })],
  ["GET", path("/api/agents"), ({ fleet }) => ({ nowMs: fleet.nowMs(), agents: fleet.agents().map((agent) => agentSummary(agent, fleet)) })],
  ["GET", path("/api/agents/UID"), oneAgent],
  ["GET", path("/api/agents/UID/messages"), messages],
  ["GET", path("/api/agents/UID/keys"), keys],
  ["PUT", path("/api/agents/UID/config"), putConfig],
  ["DELETE", path("/api/agents/UID/config"), ({ fleet }, _request, uid) => fleet.forgetConfig(uid).then(() => OK)],
  ["POST", path("/api/agents/UID/restart"), ({ fleet }, _request, uid) => done(() => fleet.restart(uid))],
  ["POST", path("/api/agents/UID/full-state"), ({ fleet }, _request, uid) => done(() => fleet.requestFullState(uid))],
  ["POST", path("/api/agents/UID/new-identity"), ({ fleet }, { body }, uid) => ({ uid: fleet.giveNewIdentity(uid, parse(identitySchema, body ?? {}).uid) })],
  ["GET", path("/api/bad-mode"), ({ modes }) => modes.get()],
  ["PUT", path("/api/bad-mode"), ({ modes }, { body }) => done(() => modes.set(parseBadMode(body)))],
  ["GET", path("/api/agents/UID/bad-mode"), ({ modes }, _request, uid) => modes.get(uid)],
  ["PUT", path("/api/agents/UID/bad-mode"), ({ modes }, { body }, uid) => done(() => modes.set(parseBadMode(body), uid))],
  ["POST", path("/api/drop-connections"), ({ dropConnections }) => done(dropConnections)],
  ["GET", path("/api/telemetry"), ({ sink }) => ({ isOn: sink !== null, senders: sink?.senders() ?? [] })],
];

/** The answer, or a promise of it. Throws `Refused`. */
export function callApi(context: ApiContext, request: ApiRequest): unknown {
  const found = routes.filter(([, pattern]) => pattern.test(request.path));
  if (found.length === 0) throw new Refused(404, `there is no ${request.path}`);
  for (const [method, pattern, handler] of found) {
    if (method === request.method) return handler(context, request, pattern.exec(request.path)?.[1] ?? "");
  }
  throw new Refused(405, `${request.path} takes ${found.map(([method]) => method).join(" and ")}`);
}

function path(template: string): RegExp {
  return new RegExp(`^${template.replace("UID", `(${UID})`)}$`);
}

function done(act: () => void): typeof OK {
  act();
  return OK;
}

function oneAgent({ fleet, modes, sink }: ApiContext, _request: ApiRequest, uid: string): unknown {
  return { ...agentView(fleet.agent(uid), fleet), badMode: modes.get(uid), telemetry: sink?.find(uid) ?? null, nowMs: fleet.nowMs() };
}

function messages({ fleet }: ApiContext, { query }: ApiRequest, uid: string): unknown {
  const after = Number(query.get("after") ?? 0);
  return { messages: fleet.agent(uid).log.since(Number.isFinite(after) ? after : 0).map(messageView) };
}

function keys({ fleet }: ApiContext, _request: ApiRequest, uid: string): unknown {
  const agent = fleet.agent(uid);
  const effective = effectiveFiles(agent);
  if (agent.offer === null) return { is: "unknown", why: "nothing was sent from here" };
  if (effective === null) return { is: "unknown", why: "the agent does not report its effective configuration" };
  return keyView(agent.offer.config.files, effective);
}

async function putConfig({ fleet }: ApiContext, { body }: ApiRequest, uid: string): Promise<unknown> {
  const { files, hash } = parse(configSchema, body);
  const list = Object.entries(files).map(([name, file]): ConfigFile => {
    return typeof file === "string" ? { name, body: file, contentType: "text/yaml", role: "" } : { name, ...file };
  });
  const agent = await fleet.saveConfig(uid, list, hash === undefined ? undefined : Uint8Array.from(Buffer.from(hash, "hex")));
  // A hint and no refusal: what an agent makes of a broken configuration is worth seeing.
  const warnings = list.flatMap((file) => {
    const problem = yamlProblem(file.body);
    return problem === null ? [] : [`${file.name === "" ? "the configuration" : file.name} is not YAML: ${problem}`];
  });
  return { hash: Buffer.from(agent.offer?.config.hash ?? []).toString("hex"), isSent: agent.offer?.sentAt !== null, warnings };
}

function parseBadMode(body: unknown): BadMode {
  return parse(badModeSchema, body);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.map(String).join(".") || "body"}: ${issue.message}`);
  throw new Refused(400, issues.join("; "));
}
