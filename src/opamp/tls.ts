/**
 * `server.tls` as options of Node: what is trusted, who we are, which versions and ciphers. Files are read when a
 * connection is set up, again at each one with `reload_interval`; nothing at all is read for a plain endpoint.
 */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type ConnectionOptions, type SecureContext, type SecureContextOptions } from "node:tls";
import type { TlsSettings } from "../config/settings.js";
import { messageOf, SupervisorError } from "../lib/error.js";
import { opensslCiphers, opensslCurve } from "./tls-names.js";
import { loadSystemRoots, splitPem } from "./tls-roots.js";

export interface TlsPeer {
  readonly host: string;
  /** False behind a redirect to another origin: neither our certificate nor the overridden name belong there. */
  readonly trusted: boolean;
}

export class TlsClient {
  readonly #settings: TlsSettings;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #contexts = new Map<boolean, SecureContext>();

  constructor(settings: TlsSettings, env: Readonly<Record<string, string | undefined>>) {
    // With `insecure` and no CA of its own Go builds no settings at all, which means its defaults.
    const plain = settings.insecure && settings.caFile === null && settings.caPem === null;
    this.#settings = plain ? defaultsOf(settings) : settings;
    this.#env = env;
  }

  /** Options for `tls.connect` over a socket that is there. Rejects with a readable error for files that cannot be used. */
  async options({ host, trusted }: TlsPeer): Promise<ConnectionOptions> {
    const name = (trusted ? this.#settings.serverNameOverride : null) ?? host;
    return {
      secureContext: await this.#context(trusted),
      // Addresses are not sent as a server name (RFC 6066), but the certificate has to be made out to them.
      servername: isIP(name) === 0 ? name : "",
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      rejectUnauthorized: !this.#settings.insecureSkipVerify,
      ALPNProtocols: ["http/1.1"],
    };
  }

  async #context(trusted: boolean): Promise<SecureContext> {
    const kept = this.#contexts.get(trusted);
    if (kept !== undefined && this.#settings.reloadIntervalMs === 0) return kept;
    const context = await this.#build(trusted);
    this.#contexts.set(trusted, context);
    return context;
  }

  async #build(trusted: boolean): Promise<SecureContext> {
    const settings = this.#settings;
    const cert = trusted ? await pem(settings.certFile, settings.certPem, "cert_file") : null;
    const key = trusted ? await pem(settings.keyFile, settings.keyPem, "key_file") : null;
    const ca = await this.#authorities();
    const options: SecureContextOptions = {
      minVersion: `TLSv1${minor(settings.minVersion)}`,
      maxVersion: settings.maxVersion === null ? "TLSv1.3" : `TLSv1${minor(settings.maxVersion)}`,
      ...(ca.length === 0 ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
      ...ciphers(settings),
    };
    try {
      return withCurves(options, settings.curvePreferences);
    } catch (error) {
      throw new SupervisorError("server", `server.tls cannot be used: ${messageOf(error)}; check certificate, key and cipher_suites`, { cause: error });
    }
  }

  /** Empty: those that Node brings along. */
  async #authorities(): Promise<string[]> {
    const settings = this.#settings;
    if (settings.insecureSkipVerify) return [];
    const configured = await pem(settings.caFile, settings.caPem, "ca_file");
    if (configured === null) return loadSystemRoots(this.#env);
    const own = splitPem(configured);
    if (own.length === 0) throw new SupervisorError("server", "server.tls.ca_file holds no certificate; expected PEM text");
    return settings.includeSystemCaCertsPool ? [...(await loadSystemRoots(this.#env)), ...own] : own;
  }
}

function defaultsOf(settings: TlsSettings): TlsSettings {
  return {
    ...settings,
    ...{ certFile: null, certPem: null, keyFile: null, keyPem: null, serverNameOverride: null },
    ...{ insecureSkipVerify: false, minVersion: "1.2", maxVersion: null, cipherSuites: [], curvePreferences: [] },
  };
}

async function pem(file: string | null, text: string | null, key: string): Promise<string | null> {
  if (file === null) return text;
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    throw new SupervisorError("server", `server.tls.${key} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function minor(version: "1.0" | "1.1" | "1.2" | "1.3"): "" | ".1" | ".2" | ".3" {
  const minors = { "1.0": "", "1.1": ".1", "1.2": ".2", "1.3": ".3" } as const;
  return minors[version];
}

/** OpenSSL refuses versions below 1.2 at its usual security level, also when they are asked for. */
function ciphers({ cipherSuites, minVersion }: TlsSettings): SecureContextOptions {
  const old = minVersion === "1.0" || minVersion === "1.1";
  if (cipherSuites.length > 0) return { ciphers: opensslCiphers(cipherSuites) + (old ? ":@SECLEVEL=0" : "") };
  return old ? { ciphers: "DEFAULT:@SECLEVEL=0" } : {};
}

/** X25519MLKEM768 needs a newer OpenSSL than Node 20 has; the other curves of the list still count. */
function withCurves(options: SecureContextOptions, names: readonly string[]): SecureContext {
  if (names.length === 0) return createSecureContext(options);
  try {
    return createSecureContext({ ...options, ecdhCurve: names.map(opensslCurve).join(":") });
  } catch (error) {
    const older = names.filter((name) => name !== "X25519MLKEM768");
    if (older.length === 0 || older.length === names.length) throw error;
    return createSecureContext({ ...options, ecdhCurve: older.map(opensslCurve).join(":") });
  }
}
