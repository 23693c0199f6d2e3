/** The smallest file becomes settings without a hole, and the walkthrough's file says what the issue promises. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSettings } from "../../src/config/settings-load.js";

let cwd = "";
const fixtures = join(import.meta.dirname, "../fixtures/settings");
const examples = join(import.meta.dirname, "../../examples");

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "settings-"));
  copyFileSync(join(fixtures, "collector.sh"), join(cwd, "otelcol"));
});

afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

test("the smallest file gets every default", async () => {
  const env = { S: "server::endpoint: ws://localhost:4320/v1/opamp\nagent::executable: ./otelcol\n" };
  const { settings, warnings } = await loadSettings("env:S", env, cwd);
  expect(settings).toEqual({
    server: {
      endpoint: "ws://localhost:4320/v1/opamp",
      headers: {},
      tls: {
        caFile: null,
        caPem: null,
        certFile: null,
        certPem: null,
        keyFile: null,
        keyPem: null,
        includeSystemCaCertsPool: false,
        insecure: false,
        insecureSkipVerify: false,
        serverNameOverride: null,
        minVersion: "1.2",
        maxVersion: null,
        cipherSuites: [],
        curvePreferences: [],
        reloadIntervalMs: 0,
      },
    },
    capabilities: {
      acceptsRemoteConfig: false,
      reportsRemoteConfig: false,
      acceptsRestartCommand: false,
      acceptsOpampConnectionSettings: false,
      reportsEffectiveConfig: true,
      reportsOwnMetrics: true,
      reportsOwnLogs: false,
      reportsOwnTraces: false,
      reportsHealth: true,
      reportsAvailableComponents: false,
      reportsHeartbeat: true,
    },
    agent: {
      executable: join(cwd, "otelcol"),
      instanceId: null,
      orphanDetectionIntervalMs: 5_000,
      description: { identifyingAttributes: {}, nonIdentifyingAttributes: {}, includeResourceAttributes: false },
      configApplyTimeoutMs: 30_000,
      configProbationMs: 60_000,
      bootstrapTimeoutMs: 3_000,
      opampServerPort: 0,
      passthroughLogs: false,
      useHupConfigReload: false,
      validateConfig: true,
      startupFallbackConfigs: [],
      automaticConfigRollback: true,
      collectorCrashLogSnippetKib: null,
      configFiles: [],
      args: [],
      env: {},
    },
    storage: { directory: "/var/lib/otelcol/supervisor" },
    telemetry: { logs: { level: "info", outputPaths: ["stdout"], errorOutputPaths: ["stderr"], encoding: "json" } },
    healthcheck: null,
  });
  expect(warnings).toEqual([]);
});

test("the walkthrough's file is accepted with one warning", async () => {
  copyFileSync(join(examples, "supervisor.yaml"), join(cwd, "supervisor.yaml"));
  const { settings, warnings } = await loadSettings("supervisor.yaml", {}, cwd);
  expect(settings.server.endpoint).toBe("wss://127.0.0.1:4320/v1/opamp");
  expect(settings.server.tls.insecureSkipVerify).toBe(true);
  expect(settings.capabilities.acceptsRemoteConfig).toBe(true);
  expect(settings.capabilities.reportsOwnMetrics).toBe(false);
  expect(settings.agent.executable).toBe(join(cwd, "otelcol"));
  expect(settings.storage.directory).toBe(join(cwd, "storage"));
  expect(warnings.map((warning) => warning.replace(/:\d+:\d+/, ""))).toEqual([
    "supervisor.yaml capabilities.reports_own_logs: not honoured by this version and not announced to the server: reports_own_logs",
  ]);
});
