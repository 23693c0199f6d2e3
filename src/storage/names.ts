/**
 * The names in the storage directory. Those of the Go supervisor are kept, so that a host can move from it to this one
 * and back; what is ours alone lies in files of our own.
 */
export const PERSISTENT_STATE = "persistent_state.yaml";
export const LAST_RECEIVED = "last_recv_remote_config.dat";
export const LAST_WORKING = "last_working_remote_config.dat";
/** Ours alone: what was applied, is not good yet, and has been followed by a newer offer. */
export const ON_PROBATION = "probation_remote_config.dat";
/** Kept as it is found: own telemetry is not ours to change yet. */
export const LAST_OWN_TELEMETRY = "last_recv_own_telemetry_config.dat";
export const EFFECTIVE = "effective.yaml";
/** A directory: the last configurations that ran, for people. */
export const KEPT_CONFIGS = "config_history";
export const AGENT_LOG = "agent.log";
export const OWN_STATE = "opampsupervisor_state.json";
export const COLLECTOR_FACTS = "collector.json";
/** What was decided, for people. */
export const HISTORY = "history.jsonl";
export const LOCK = "supervisor.lock";
/** Written by collector/leftover.ts: which process is ours. */
export const COLLECTOR_RECORD = "collector.pid.json";
const RECORD_TEMPORARY = `.${COLLECTOR_RECORD}.tmp`;
/** Written by collector/output.ts while output is passed through. */
export const PASSTHROUGH_LOG = "agent-passthrough.log";

/** Ours alone: what was proven, as it ran, to return to it when its layers have changed. Old and new lie side by side until the state names the new one. */
export function goodName(textDigest: string): string {
  return `good-${textDigest.slice(0, 12)}.yaml`;
}

export function isGoodName(name: string): boolean {
  return /^good-[0-9a-f]{12}\.yaml$/.test(name);
}

/** The Go supervisor gives the file for the validator this name, and so do we. */
export function stagedName(random: string): string {
  return `validate-config-${random}.yaml`;
}

export function temporaryName(name: string, random: string): string {
  return `.${name}.${random}.tmp`;
}

export function damagedName(name: string, number: number): string {
  return `${name}.damaged-${number}`;
}

/** True for what a supervisor that was killed may have left half done. */
export function isLeftover(name: string): boolean {
  return name === RECORD_TEMPORARY || /^\.[a-z0-9_.-]+\.[0-9a-f]{12}\.tmp$/.test(name) || /^validate-config-[^/]*\.yaml$/.test(name);
}

const KNOWN = [
  PERSISTENT_STATE,
  LAST_RECEIVED,
  LAST_WORKING,
  ON_PROBATION,
  LAST_OWN_TELEMETRY,
  EFFECTIVE,
  KEPT_CONFIGS,
  AGENT_LOG,
  OWN_STATE,
  COLLECTOR_FACTS,
  HISTORY,
  LOCK,
  COLLECTOR_RECORD,
  PASSTHROUGH_LOG,
];

/** True for every name that a supervisor, ours or Go's, gives to a file here: rotated and damaged ones included. */
export function isOurs(name: string): boolean {
  return isLeftover(name) || isGoodName(name.replace(/\.damaged-\d+$/, "")) || KNOWN.some((known) => name === known || name.startsWith(`${known}.`));
}
