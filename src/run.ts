/**
 * Puts a supervisor together from its settings: one core, loop, mailbox, storage and identity, and no module-level
 * state, so that several could live in one process. The order is chosen for a fast and safe start: the lock first, the
 * connection to the server opens while the rest is read, the local server listens before a Collector could ask for it.
 */
import { uuidv7 } from "uuidv7";
import { endLeftover } from "./collector/leftover.js";
import { executableIdentity } from "./collector/describe.js";
import { findSetpriv } from "./collector/find-setpriv.js";
import { openOutput } from "./collector/output.js";
import { loadSettings } from "./config/settings-load.js";
import type { Settings } from "./config/settings.js";
import { begin } from "./core/begin.js";
import type { Event } from "./core/event.js";
import type { Memory } from "./core/memory.js";
import type { RememberedFacts } from "./core/values.js";
import { collectorEnvironment } from "./environment.js";
import { checkFallback } from "./fallback-check.js";
import { startHealthcheck, type Readiness } from "./healthcheck.js";
import { isoTime, systemClock } from "./lib/clock.js";
import { KnownExecutable } from "./known-executable.js";
import { createLogger } from "./lib/log-pino.js";
import type { Logger } from "./lib/log.js";
import { Mailbox } from "./lib/mailbox.js";
import { OpampClient } from "./opamp/client.js";
import { ExtensionServer } from "./opamp/extension.js";
import type { NewsLine } from "./news.js";
import { Performer, STOP_GRACE_MS } from "./perform.js";
import { policyOf, HEARTBEAT_MS } from "./policy.js";
import { History } from "./storage/history.js";
import { KeptConfigs } from "./storage/kept-configs.js";
import { Store } from "./storage/store.js";
import { Supervisor } from "./supervisor.js";
import { VERSION } from "./version.js";

const HANGUP = "Another try was asked for";
const HANGUP_FIELDS = { because: "SIGHUP: local files are read again, and what failed is tried again; settings are read at the start only" };
/** The time that the goodbye to the server may take. */
const DISCONNECT_MS_MAX = 5_000;

export interface RunOptions {
  /** What `--config` names. */
  readonly source: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export interface RunningSupervisor {
  /** Settles when everything is stopped and released; rejects only for a bug. */
  readonly finished: Promise<void>;
  stop(because: string): void;
  onHangup(): void;
  /** Ends the Collector at once. */
  kill(): void;
}

/** Rejects with a `SupervisorError` when it cannot start; then nothing was left behind. */
export async function runSupervisor({ source, env, cwd }: RunOptions): Promise<RunningSupervisor> {
  const { settings, warnings } = await loadSettings(source, env, cwd);
  const log = createLogger(settings.telemetry.logs);
  for (const warning of warnings) log.warn("Settings warning", { warning });
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await assemble(settings, env, log, undo);
  } catch (error) {
    for (const release of undo.reverse()) await release().catch(() => undefined);
    throw error;
  }
}

/** Each thing that is opened pushes what closes it onto `undo`. */
async function assemble(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  log: Logger,
  undo: (() => Promise<unknown>)[],
): Promise<RunningSupervisor> {
  const mailbox = new Mailbox<Event>();
  const post = (event: Event): void => mailbox.post(event);
  const store = await openStore(settings, log);
  undo.push(() => store.close());
  const { memory, remembered } = await store.load();
  log.info("Supervisor starting", { id: memory.instanceUid, version: VERSION });

  undo.push(await checkFallback({ settings, env, log, clock: systemClock, isFresh: isFresh(memory, remembered) }));
  const known = await stillThatExecutable(settings, remembered);
  const executable = new KnownExecutable({
    path: settings.agent.executable,
    env: collectorEnvironment(settings, env),
    remembered: known,
    remember: (facts) => void store.remember(facts),
  });
  executable.askAhead();
  const client = openClient(settings, env, log, post);
  undo.push(() => client.close(0));
  let performer: Performer | null = null;
  const onEvent = (event: Event): void => performer?.onExtensionEvent(event);
  const extension = new ExtensionServer({ clock: systemClock, log, port: settings.agent.opampServerPort, onEvent });
  const extensionPort = await extension.listen();
  undo.push(() => extension.close());
  let supervisor: Supervisor | null = null;
  undo.push(await openHealthcheck(settings, () => ready(supervisor), log));
  const output = openOutput({ path: store.paths.agentLog, passthrough: settings.agent.passthroughLogs, clock: systemClock, log });
  undo.push(() => output.close());
  await endLeftover(store.paths.directory, { clock: systemClock, graceMs: STOP_GRACE_MS, log });

  const history = new History({ directory: store.paths.directory, clock: systemClock, log });
  const kept = new KeptConfigs({ directory: store.paths.directory, clock: systemClock, log });
  undo.push(() => kept.close());
  const pdeathsig = await findSetpriv(env["PATH"]);
  const edges = { settings, env, clock: systemClock, log, store, kept, extension, extensionPort, output, pdeathsig, executable, post };
  performer = new Performer(edges);
  supervisor = new Supervisor(begin(policyOf(settings), memory, known, { now: systemClock.now(), at: isoTime(systemClock) }), memory, {
    clock: systemClock,
    random: Math.random,
    log,
    record: (line) => record(line, history, kept),
    mailbox,
    save: (saved) => store.save(saved),
    perform: (effect) => performer.perform(effect),
    tell: (report) => client.tell(report),
  });
  return {
    finished: finish(supervisor, client, undo, log),
    stop: (because) => post({ is: "shutdown-requested", because }),
    onHangup: () => {
      log.info(HANGUP, HANGUP_FIELDS);
      history.add(HANGUP, HANGUP_FIELDS);
      post({ is: "retry-requested" });
    },
    kill: () => performer.kill(),
  };
}

function record({ fields, message, result }: NewsLine, history: History, kept: KeptConfigs): void {
  history.add(message, fields);
  if (result !== undefined) kept.result(result.digest, result.is, result.because);
}

/** Nothing ever ran or was received here. */
function isFresh({ lastReceived, lastWorking, proven }: Memory, remembered: RememberedFacts | null): boolean {
  return remembered === null && lastReceived === null && lastWorking === null && proven === null;
}

/** Answers with what closes it. */
async function openHealthcheck({ healthcheck }: Settings, readiness: () => Readiness, log: Logger): Promise<() => Promise<void>> {
  if (healthcheck === null) return () => Promise.resolve();
  const server = await startHealthcheck(healthcheck, readiness, log);
  return () => server.close();
}

function openStore(settings: Settings, log: Logger): Promise<Store> {
  return Store.open({
    directory: settings.storage.directory,
    configuredInstanceId: settings.agent.instanceId,
    acceptsRemoteConfig: settings.capabilities.acceptsRemoteConfig,
    log,
    newInstanceUid: uuidv7,
  });
}

function openClient(settings: Settings, env: NodeJS.ProcessEnv, log: Logger, post: (event: Event) => void): OpampClient {
  const { endpoint, headers, tls } = settings.server;
  const heartbeatMs = settings.capabilities.reportsHeartbeat ? HEARTBEAT_MS : null;
  const client = new OpampClient({ endpoint, headers, tls, heartbeatMs, clock: systemClock, random: Math.random, log, onEvent: post, env });
  client.open();
  return client;
}

/** What is remembered counts only for the very binary that it was learnt from. */
async function stillThatExecutable(settings: Settings, remembered: RememberedFacts | null): Promise<RememberedFacts | null> {
  if (remembered === null) return null;
  const identity = await executableIdentity(settings.agent.executable).catch(() => null);
  return identity === remembered.executable.identity ? remembered : null;
}

/** The Collector is gone when the loop ends; the goodbye to the server follows, then everything else is released. */
async function finish(supervisor: Supervisor, client: OpampClient, undo: (() => Promise<unknown>)[], log: Logger): Promise<void> {
  await supervisor.run();
  await client.close(DISCONNECT_MS_MAX);
  for (const release of undo.reverse()) await release();
  log.info("Supervisor stopped");
}

/** As in the Go supervisor: the state is loaded and a configuration is composed. It says nothing about the Collector. */
function ready(supervisor: Supervisor | null): Readiness {
  return supervisor === null || supervisor.state.base.build === null ? { ok: false, reason: "no configuration is composed yet" } : { ok: true };
}
