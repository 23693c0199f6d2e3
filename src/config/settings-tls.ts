/**
 * `server.tls`: the keys of the Collector's TLS client block. Everything that can be judged without a connection is
 * judged here; the files are only opened where the scheme makes use of them, as in Go.
 */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { TlsSettings, TlsVersion } from "./settings.js";
import { CIPHER_SUITES, CIPHER_SUITES_INSECURE, CURVES } from "./settings-tls-names.js";
import { nearest } from "./settings-nearest.js";
import type { Section } from "./settings-section.js";

export function readTls(tls: Section, cwd: string, usesTls: boolean): TlsSettings {
  const settings: TlsSettings = {
    caFile: readFile(tls, "ca_file", cwd, usesTls),
    caPem: orNull(tls.text("ca_pem", "")),
    certFile: readFile(tls, "cert_file", cwd, usesTls),
    certPem: orNull(tls.text("cert_pem", "")),
    keyFile: readFile(tls, "key_file", cwd, usesTls),
    keyPem: orNull(tls.text("key_pem", "")),
    includeSystemCaCertsPool: tls.boolean("include_system_ca_certs_pool", false),
    insecure: tls.boolean("insecure", false),
    insecureSkipVerify: tls.boolean("insecure_skip_verify", false),
    serverNameOverride: orNull(tls.text("server_name_override", "")),
    minVersion: readVersion(tls, "min_version") ?? "1.2",
    maxVersion: readVersion(tls, "max_version"),
    cipherSuites: readCipherSuites(tls),
    curvePreferences: readCurves(tls),
    reloadIntervalMs: tls.durationMs("reload_interval", 0),
  };
  checkTogether(tls, settings);
  refuseTpm(tls.section("tpm"));
  return settings;
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}

function readFile(tls: Section, key: string, cwd: string, opened: boolean): string | null {
  const path = tls.text(key, "");
  if (path === "") return null;
  const absolute = resolve(cwd, path);
  if (!opened) return absolute;
  try {
    accessSync(absolute, constants.R_OK);
    if (!statSync(absolute).isDirectory()) return absolute;
    tls.error(key, `${tls.shown(key)} is a directory; expected a PEM file`);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code !== "EACCES";
    tls.error(key, `${tls.shown(key)} ${missing ? "does not exist" : "cannot be read by this user"}; expected a PEM file (looked for ${absolute})`);
  }
  return absolute;
}

const VERSIONS: readonly TlsVersion[] = ["1.0", "1.1", "1.2", "1.3"];

function readVersion(tls: Section, key: "min_version" | "max_version"): TlsVersion | null {
  const text = tls.text(key, "");
  if (text === "") return null;
  const version = VERSIONS.find((known) => known === text) ?? null;
  if (version === null) {
    tls.error(key, `invalid TLS ${key}: unsupported TLS version ${tls.shown(key)}; expected "1.0", "1.1", "1.2" or "1.3"`);
  }
  return version;
}

function checkTogether(tls: Section, settings: TlsSettings): void {
  const invalid = (key: string, text: string): void => {
    tls.error(key, `invalid server::tls settings: ${text}`);
  };
  const { caFile, caPem, certFile, certPem, keyFile, keyPem, minVersion, maxVersion } = settings;
  if (caFile !== null && caPem !== null) invalid("ca_pem", "provide either a CA file or the PEM-encoded string, but not both");
  if (certFile !== null && certPem !== null) invalid("cert_pem", "provide either certificate file or PEM, but not both");
  if (keyFile !== null && keyPem !== null) invalid("key_pem", "provide either key file or PEM, but not both");
  const certificateKey = certFile === null ? "cert_pem" : "cert_file";
  const keyKey = keyFile === null ? "key_pem" : "key_file";
  const hasCertificate = certFile !== null || certPem !== null;
  const hasKey = keyFile !== null || keyPem !== null;
  if (hasCertificate !== hasKey) {
    const missing = hasCertificate ? "add key_file or key_pem" : "add cert_file or cert_pem";
    invalid(hasCertificate ? certificateKey : keyKey, `TLS configuration must include both certificate and key; ${missing}`);
  }
  if (maxVersion !== null && minVersion > maxVersion) {
    invalid("max_version", `invalid TLS configuration: min_version cannot be greater than max_version (min_version is ${minVersion})`);
  }
  if (settings.reloadIntervalMs < 0) tls.error("reload_interval", "must not be negative; expected e.g. 1h, or 0 for never");
}

function readCipherSuites(tls: Section): readonly string[] {
  const allowsInsecure = tls.boolean("include_insecure_cipher_suites", false);
  const suites = tls.texts("cipher_suites", []);
  for (const [index, suite] of suites.entries()) {
    if (CIPHER_SUITES.includes(suite)) continue;
    if (!CIPHER_SUITES_INSECURE.includes(suite)) {
      tls.entryError("cipher_suites", index, `invalid TLS cipher suite: ${JSON.stringify(suite)}${meant(suite, [...CIPHER_SUITES, ...CIPHER_SUITES_INSECURE])}`);
    } else if (!allowsInsecure) {
      tls.entryError("cipher_suites", index, `invalid TLS cipher suite: ${JSON.stringify(suite)} is insecure; it needs include_insecure_cipher_suites: true`);
    }
  }
  return suites;
}

function readCurves(tls: Section): readonly string[] {
  const curves = tls.texts("curve_preferences", []);
  for (const [index, curve] of curves.entries()) {
    if (CURVES.includes(curve)) continue;
    tls.entryError("curve_preferences", index, `invalid curve type ${JSON.stringify(curve)}; expected ${CURVES.join(", ")}`);
  }
  return curves;
}

function meant(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === null ? "; expected names as in Go, e.g. TLS_AES_128_GCM_SHA256" : `, did you mean "${candidate}"?`;
}

function refuseTpm(tpm: Section): void {
  for (const key of ["path", "owner_auth", "auth"]) tpm.text(key, "");
  if (tpm.boolean("enabled", false)) {
    tpm.error("enabled", "known to the Go supervisor, not supported by this version; keep the key in a file (server.tls.key_file)");
  }
}
