/** The configuration of every known component: keys, types, defaults as the recorded build reports them. */
import { extensionSchemas } from "./extension-schemas.js";
import { findType, typeOf, type Section } from "./catalog.js";
import { any, bool, duration, float, headers, hidden, int, list, object, optional, text, type ObjectSchema, type Schema } from "./schema.js";

export interface ComponentSchema {
  readonly schema: ObjectSchema;
  /** The real one decodes it inside a decoder of its own. */
  readonly nested?: true;
}

export function schemaOf(section: Section, id: string): ComponentSchema {
  const type = findType(section, id)?.type ?? typeOf(id);
  return SCHEMAS[section][type] ?? { schema: object("struct {}", {}) };
}

const SERVER: Readonly<Record<string, Schema>> = {
  transport: text("tcp"),
  cors: any(null),
  tls: any(null),
  auth: any(),
  include_metadata: bool(),
  max_request_body_size: int("int64"),
  compression_algorithms: list(text()),
  response_headers: hidden(any()),
  middlewares: any(),
  read_timeout: duration(),
  read_header_timeout: duration("0s"),
  write_timeout: duration("0s"),
  idle_timeout: duration("0s"),
  keep_alives_enabled: bool(true),
};

const RETRY = object("configretry.BackOffConfig", {
  enabled: bool(true),
  initial_interval: duration("5s"),
  randomization_factor: float(0.5),
  multiplier: float(1.5),
  max_interval: duration("30s"),
  max_elapsed_time: duration("5m"),
});

const QUEUE = object("exporterhelper.QueueBatchConfig", {
  enabled: hidden(bool()),
  wait_for_result: bool(false),
  sizer: any(new Map()),
  queue_size: int("int64", 1000),
  block_on_overflow: bool(false),
  storage: text(null),
  num_consumers: int("int", 10),
  batch: any(null),
});

const CLIENT: Readonly<Record<string, Schema>> = {
  endpoint: text(""),
  tls: any(),
  headers,
  auth: any(),
  compression: text("gzip"),
  read_buffer_size: int("int"),
  timeout: duration("5s"),
  sending_queue: QUEUE,
  retry_on_failure: RETRY,
};

const errorMode = (mode: string): string | null =>
  ["ignore", "propagate", "silent"].includes(mode.toLowerCase()) ? null : `unknown error mode ${mode}`;
const verbosity = (level: string): string | null =>
  ["basic", "normal", "detailed"].includes(level.toLowerCase()) ? null : `unknown metrics level "${level}"`;
const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
const strings = (): Schema => list(text(), []);

const SCHEMAS: Readonly<Record<Section, Readonly<Record<string, ComponentSchema>>>> = {
  receivers: {
    otlp: {
      schema: object("otlpreceiver.Config", {
        protocols: object("otlpreceiver.Protocols", {
          grpc: optional(
            object("configgrpc.ServerConfig", {
              endpoint: text("localhost:4317"),
              transport: text("tcp"),
              tls: any(),
              max_recv_msg_size_mib: int("int"),
              max_concurrent_streams: int("uint32"),
              read_buffer_size: int("int", 524288),
              write_buffer_size: int("int"),
              keepalive: any(new Map([["enforcement_policy", new Map()], ["server_parameters", new Map()]])),
              auth: any(),
              include_metadata: bool(),
              middlewares: any(),
            }),
          ),
          http: optional(
            object("otlpreceiver.HTTPConfig", {
              endpoint: text("localhost:4318"),
              ...SERVER,
              traces_url_path: text("/v1/traces"),
              metrics_url_path: text("/v1/metrics"),
              logs_url_path: text("/v1/logs"),
            }),
          ),
        }),
      }),
    },
    hostmetrics: {
      nested: true,
      schema: {
        ...object("hostmetricsreceiver.Config", {
          collection_interval: duration("1m"),
          initial_delay: duration("1s"),
          timeout: duration("0s"),
          metadata_collection_interval: duration("5m"),
          root_path: text(""),
          scrapers: hidden(any()),
        }),
        open: true,
      },
    },
    file_log: {
      schema: object("filelogreceiver.FileLogConfig", {
        operators: list(any(), []),
        retry_on_failure: object("consumerretry.Config", {
          enabled: bool(false),
          initial_interval: duration("1s"),
          max_interval: duration("30s"),
          max_elapsed_time: duration("5m"),
        }),
        storage: text(null),
        id: text("file_input"),
        type: text("file_input"),
        output: any([]),
        attributes: any(new Map()),
        resource: any(new Map()),
        include: list(text()),
        exclude: list(text()),
        exclude_older_than: duration("0s"),
        ordering_criteria: any(),
        include_file_name: bool(true),
        include_file_path: bool(),
        include_file_name_resolved: bool(),
        include_file_path_resolved: bool(),
        include_file_owner_name: bool(),
        include_file_owner_group_name: bool(),
        include_file_record_number: bool(),
        include_file_record_offset: bool(),
        poll_interval: duration("200ms"),
        max_concurrent_files: int("int", 1024),
        max_batches: int("int"),
        polls_to_archive: int("int"),
        start_at: text("end"),
        fingerprint_size: any(1000n),
        initial_buffer_size: any(16384n),
        max_log_size: any(1048576n),
        max_log_size_behavior: text("split"),
        encoding: text("utf-8"),
        multiline: any(),
        preserve_leading_whitespaces: bool(),
        preserve_trailing_whitespaces: bool(),
        force_flush_period: duration("500ms"),
        header: any(),
        delete_after_read: bool(),
        acquire_fs_lock: bool(),
        compression: text(),
      }),
    },
  },
  processors: {
    batch: {
      schema: object("batchprocessor.Config", {
        timeout: duration("200ms"),
        send_batch_size: int("uint32", 8192),
        send_batch_max_size: int("uint32", 0),
        metadata_keys: list(text(), []),
        metadata_cardinality_limit: int("uint32", 1000),
      }),
    },
    memory_limiter: {
      schema: object("memorylimiter.Config", {
        check_interval: duration("0s"),
        min_gc_interval_when_soft_limited: duration("10s"),
        min_gc_interval_when_hard_limited: duration("0s"),
        limit_mib: int("uint32", 0),
        spike_limit_mib: int("uint32", 0),
        limit_percentage: int("uint32", 0),
        spike_limit_percentage: int("uint32", 0),
      }),
    },
    filter: {
      nested: true,
      schema: object("filterprocessor.Config", {
        error_mode: { is: "string", fallback: "propagate", check: errorMode, write: (mode) => mode.toLowerCase() },
        metrics: object("", { include: any(null), exclude: any(null), regexp: any(null), resource: strings(), metric: strings(), datapoint: strings() }),
        logs: object("", { include: any(null), exclude: any(null), resource: strings(), log_record: strings() }),
        spans: object("", { include: any(null), exclude: any(null) }),
        traces: object("", { resource: strings(), span: strings(), spanevent: strings() }),
        profiles: object("", { resource: strings(), profile: strings() }),
        log_conditions: list(any(), []),
        metric_conditions: list(any(), []),
        trace_conditions: list(any(), []),
        profile_conditions: list(any(), []),
      }),
    },
  },
  exporters: {
    debug: {
      schema: object("debugexporter.Config", {
        verbosity: { is: "string", fallback: undefined, check: verbosity, write: capital },
        sampling_initial: int("int", 2),
        sampling_thereafter: int("int", 1),
        use_internal_logger: bool(true),
        output_paths: list(text(), []),
        sending_queue: any(null),
      }),
    },
    otlp_grpc: {
      schema: object("otlpexporter.Config", {
        ...CLIENT,
        balancer_name: text("round_robin"),
        authority: text(),
        keepalive: any(),
        wait_for_ready: bool(),
        middlewares: any(),
        write_buffer_size: int("int", 524288),
      }),
    },
    otlp_http: {
      schema: object("otlphttpexporter.Config", {
        ...CLIENT,
        timeout: duration("30s"),
        proxy_url: text(),
        compression_params: any(),
        max_idle_conns: int("int", 100),
        max_idle_conns_per_host: int("int"),
        max_conns_per_host: int("int"),
        idle_conn_timeout: duration("90s"),
        disable_keep_alives: bool(),
        http2_read_idle_timeout: duration(),
        http2_ping_timeout: duration(),
        force_attempt_http2: bool(true),
        cookies: any(),
        middlewares: any(),
        write_buffer_size: int("int", 524288),
        encoding: text("proto"),
        traces_endpoint: text(""),
        metrics_endpoint: text(""),
        logs_endpoint: text(""),
        profiles_endpoint: text(""),
      }),
    },
  },
  connectors: {},
  extensions: extensionSchemas(SERVER),
};
