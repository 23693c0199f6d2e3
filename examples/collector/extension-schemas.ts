/** The configuration of the known extensions, the stand-in's own fault maker included. */
import type { ComponentSchema } from "./component-schemas.js";
import { any, bool, duration, hidden, int, list, mapOf, object, optional, pointer, secret, text, type Schema } from "./schema.js";

/** @param server the keys of every HTTP server's configuration. */
export function extensionSchemas(server: Readonly<Record<string, Schema>>): Readonly<Record<string, ComponentSchema>> {
  return { health_check: healthCheck(server), opamp: OPAMP, standin_faults: FAULTS };
}

function healthCheck(server: Readonly<Record<string, Schema>>): ComponentSchema {
  return {
    nested: true,
    schema: object("healthcheck.Config", {
      endpoint: text("localhost:13133"),
      ...server,
      keep_alives_enabled: hidden(bool()),
      path: text("/"),
      response_body: optional(object("", { healthy: text(""), unhealthy: text("") })),
      check_collector_pipeline: object("", { enabled: bool(false), interval: text("5m"), exporter_failure_threshold: int("int", 5) }),
      use_v2: bool(false),
      grpc: any(null),
      http: any(null),
      component_health: any(null),
    }),
  };
}

const TLS = pointer(
  object("configtls.ClientConfig", {
    ca_file: text(),
    ca_pem: secret,
    include_system_ca_certs_pool: bool(),
    cert_file: text(),
    cert_pem: secret,
    key_file: text(),
    key_pem: secret,
    min_version: text(),
    max_version: text(),
    cipher_suites: list(text()),
    reload_interval: duration(),
    curve_preferences: list(text()),
    tpm: any(),
    insecure: bool(),
    insecure_skip_verify: bool(),
    server_name_override: text(),
  }),
);
const COMMON = { endpoint: text(""), tls: TLS, headers: mapOf(secret), auth: text() };
const ws = pointer(object("opampextension.commonFields", COMMON));
const http = pointer(object("opampextension.httpFields", { ...COMMON, polling_interval: duration() }));

const OPAMP: ComponentSchema = {
  schema: object("opampextension.Config", {
    server: object("opampextension.OpAMPServer", {
      ws,
      http,
    }),
    instance_uid: text(""),
    capabilities: object("opampextension.Capabilities", {
      reports_effective_config: bool(true),
      reports_health: bool(true),
      reports_available_components: bool(true),
      accepts_restart_command: bool(false),
    }),
    agent_description: object("opampextension.AgentDescription", {
      include_resource_attributes: bool(false),
      non_identifying_attributes: mapOf(text(), new Map()),
    }),
    ppid: int("int32", 0),
    ppid_poll_interval: duration("5s"),
  }),
};

/** Only in the stand-in: what the real build cannot be made to do. */
const FAULTS: ComponentSchema = {
  schema: object("standin.FaultsConfig", {
    die_after: duration(),
    die_code: int("int", 1),
    die_signal: text(),
    unhealthy_after: duration(),
    flip_every: duration(),
    bare_healthy: bool(false),
    ignore_sigterm: bool(false),
    start_delay: duration("0s"),
    ready_delay: duration("0s"),
    hang_on_start: bool(false),
    hang_on_validate: bool(false),
    never_connect: bool(false),
    eat_memory: int("int64", 0),
    eat_memory_after: duration("0s"),
    print: text(""),
    print_bytes: int("int64", 0),
    slow_stop: duration("0s"),
  }),
};
