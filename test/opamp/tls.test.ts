/** TLS towards the server, on both transports: what is trusted, who we are, and what is said when it fails. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { TlsSettings } from "../../src/config/settings.js";
import { opensslCiphers } from "../../src/opamp/tls-names.js";
import { loadSystemRoots, splitPem } from "../../src/opamp/tls-roots.js";
import { TlsClient } from "../../src/opamp/tls.js";
import { RawServer, type RawLink } from "../support/raw-server.js";
import { clientFor, decodeFramed, decodeMessage, partsOf, plainTls, reportOf, settle, type Bench } from "./support.js";

const fixtures = join(import.meta.dirname, "../fixtures/tls");
const file = (name: string): string => join(fixtures, name);
const pem = (name: string): string => readFileSync(file(name), "utf8");
const serverTls = { cert: pem("server.crt"), key: pem("server.key") };

let server: RawServer | null = null;
let bench: Bench | null = null;

afterEach(async () => {
  const closed = bench?.client.close(0);
  bench?.clock.advance(0);
  await server?.close();
  await closed;
  server = bench = null;
});

async function connect(tls: Partial<TlsSettings>, options: { serving?: ServerOptions; scheme?: "wss" | "https"; host?: string; env?: Record<string, string> } = {}): Promise<RawServer> {
  const { serving = serverTls, scheme = "wss", host, env = { SSL_CERT_FILE: "/dev/null", SSL_CERT_DIR: "/nowhere" } } = options;
  server = await RawServer.listen(serving);
  bench = clientFor(server.endpoint(scheme, host), { tls: { ...plainTls, ...tls }, env });
  bench.client.open();
  bench.client.tell(reportOf());
  return server;
}

function tlsOf(link: RawLink): TLSSocket {
  const socket: unknown = link.request.socket;
  if (!(socket instanceof TLSSocket)) throw new Error("not encrypted");
  return socket;
}

async function firstMessage(raw: RawServer): Promise<string[]> {
  return partsOf(decodeFramed(await (await raw.links.next()).received.next()));
}

async function failure(): Promise<string> {
  await bench?.event("server-lost");
  return String(bench?.log.lines.find((line) => line.message.startsWith("Server is away"))?.fields["error"]);
}

describe("trust", () => {
  test.each([
    ["a CA from a file", { caFile: file("ca.crt") }],
    ["a CA as text", { caPem: pem("ca.crt") }],
    ["no verification", { insecureSkipVerify: true }],
  ])("%s", async (_name, tls) => {
    expect(await firstMessage(await connect(tls))).toContain("agentDescription");
  });

  test("https works like wss", async () => {
    const raw = await connect({ caFile: file("ca.crt") }, { scheme: "https" });
    expect(partsOf(decodeMessage((await raw.requests.next()).body))).toContain("agentDescription");
  });

  test("the system's bundle is where SSL_CERT_FILE says", async () => {
    expect(await firstMessage(await connect({}, { env: { SSL_CERT_FILE: file("ca.crt"), SSL_CERT_DIR: "/nowhere" } }))).toContain("health");
  });

  test("a directory of certificates counts, also behind a broken one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "opampsupervisor-roots-"));
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    await writeFile(join(directory, "a.pem"), `# comment\n${broken}${pem("ca.crt")}`);
    expect(await firstMessage(await connect({}, { env: { SSL_CERT_FILE: "/nowhere", SSL_CERT_DIR: `/nowhere:${directory}` } }))).toContain("health");
    await rm(directory, { recursive: true });
  });

  test("an unknown CA is named with the remedy", async () => {
    await connect({});
    expect(await failure()).toMatch(
      /^127\.0\.0\.1:\d+: its certificate cannot be verified; name its CA in server\.tls\.ca_file, or set server\.tls\.insecure_skip_verify to go without \(/,
    );
  });

  test("the configured CA replaces those of the system, unless they are included", async () => {
    const env = { SSL_CERT_FILE: file("ca.crt"), SSL_CERT_DIR: "/nowhere" };
    const other = { caPem: pem("other.crt") };
    expect(await firstMessage(await connect({ ...other, includeSystemCaCertsPool: true }, { env }))).toContain("health");
    await bench?.client.close(5_000);
    await server?.close();
    await connect(other, { env });
    expect(await failure()).toContain("its certificate cannot be verified");
  });

  test("a certificate for another name is refused, and accepted with server_name_override", async () => {
    const serving = { cert: pem("other.crt"), key: pem("other.key") };
    await connect({ caFile: file("ca.crt") }, { serving });
    expect(await failure()).toContain("made out to another name; use that name in server.endpoint, or set server.tls.server_name_override");
    await bench?.client.close(5_000);
    await server?.close();
    const raw = await connect({ caFile: file("ca.crt"), serverNameOverride: "other.example.com" }, { serving });
    const link = await raw.links.next();
    expect(Reflect.get(tlsOf(link), "servername")).toBe("other.example.com");
  });

  test("insecure without a CA means the defaults, as in Go: it does not skip verification", async () => {
    await connect({ insecure: true, insecureSkipVerify: true });
    expect(await failure()).toContain("its certificate cannot be verified");
  });
});

describe("client certificate", () => {
  const mutual = { ...serverTls, ca: pem("ca.crt"), requestCert: true, rejectUnauthorized: true };

  test("is shown", async () => {
    const raw = await connect({ caFile: file("ca.crt"), certFile: file("client.crt"), keyFile: file("client.key") }, { serving: mutual });
    const link = await raw.links.next();
    expect(tlsOf(link).getPeerCertificate().subject.CN).toBe("agent");
  });

  test("missing: the server's wish is named", async () => {
    await connect({ caFile: file("ca.crt"), maxVersion: "1.2" }, { serving: mutual });
    expect(await failure()).toMatch(/the TLS handshake failed|wants a client certificate/);
  });

  test("files that are gone are named, and read again at the next attempt", async () => {
    const directory = await mkdtemp(join(tmpdir(), "opampsupervisor-tls-"));
    const ca = join(directory, "ca.crt");
    const raw = await connect({ caFile: ca });
    expect(await failure()).toContain(`server.tls.ca_file cannot be read: ENOENT: no such file or directory, open '${ca}'`);
    await writeFile(ca, pem("ca.crt"));
    bench?.clock.advance(1_000);
    expect(await firstMessage(raw)).toContain("health");
    await rm(directory, { recursive: true });
  });

  test("reload_interval reads the files anew, without it they are kept", async () => {
    const directory = await mkdtemp(join(tmpdir(), "opampsupervisor-tls-"));
    const ca = join(directory, "ca.crt");
    await writeFile(ca, pem("ca.crt"));
    const kept = new TlsClient({ ...plainTls, caFile: ca }, {});
    const reloading = new TlsClient({ ...plainTls, caFile: ca, reloadIntervalMs: 1 }, {});
    const peer = { host: "localhost", trusted: true };
    const first = [(await kept.options(peer)).secureContext, (await reloading.options(peer)).secureContext];
    const second = [(await kept.options(peer)).secureContext, (await reloading.options(peer)).secureContext];
    expect([first[0] === second[0], first[1] === second[1]]).toEqual([true, false]);
    await rm(directory, { recursive: true });
  });
});

describe("mismatches", () => {
  test("wss to a plain server, and ws to a TLS server", async () => {
    server = await RawServer.listen();
    bench = clientFor(server.endpoint("wss"), { tls: { ...plainTls, insecureSkipVerify: true } });
    bench.client.open();
    expect(await failure()).toContain("it does not speak TLS; use ws:// or http:// in server.endpoint, or another port");
    await bench.client.close(5_000);
    await server.close();
    server = await RawServer.listen(serverTls);
    bench = clientFor(server.endpoint("ws"));
    bench.client.open();
    expect(await failure()).toMatch(/closed during the WebSocket handshake|it does not speak HTTP/);
  });

  test("no version in common", async () => {
    await connect({ caFile: file("ca.crt"), maxVersion: "1.2" }, { serving: { ...serverTls, minVersion: "TLSv1.3" } });
    expect(await failure()).toContain("no TLS version in common; check server.tls.min_version and max_version");
  });
});

describe("versions, ciphers and curves", () => {
  test("the named suite and curve are used; TLS 1.3 stays on as in Go", async () => {
    const suite = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    const raw = await connect({ caFile: file("ca.crt"), cipherSuites: [suite], curvePreferences: ["P256"], maxVersion: "1.2" });
    const socket = tlsOf(await raw.links.next());
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(["TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"]);
    expect(opensslCiphers([suite])).toBe("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305");
  });

  test("a curve that the server lacks fails the handshake", async () => {
    await connect({ caFile: file("ca.crt"), curvePreferences: ["P521"] }, { serving: { ...serverTls, ecdhCurve: "X25519" } });
    expect(await failure()).toContain("the TLS handshake failed");
  });

  test("old versions are possible where they are asked for", async () => {
    const raw = await connect({ caFile: file("ca.crt"), minVersion: "1.0", maxVersion: "1.1" }, { serving: { ...serverTls, minVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" } });
    expect(tlsOf(await raw.links.next()).getProtocol()).toBe("TLSv1.1");
  });

  test("a suite that OpenSSL lacks is named", async () => {
    await connect({ insecureSkipVerify: true, cipherSuites: ["TLS_RSA_WITH_RC4_128_SHA"] });
    expect(await failure()).toBe('server.tls.cipher_suites: "TLS_RSA_WITH_RC4_128_SHA" is not available in this program; remove it');
  });

  test("a curve of newer programs is left out beside others", async () => {
    expect(await firstMessage(await connect({ caFile: file("ca.crt"), curvePreferences: ["X25519MLKEM768", "P256"] }))).toContain("health");
  });
});

describe("a silent server behind TLS", () => {
  test("is noticed, and one that answers pings is not", async () => {
    const raw = await connect({ caFile: file("ca.crt") });
    const link = await raw.links.next();
    await link.received.next();
    link.send(Uint8Array.of(0));
    await bench?.event("server-connected");
    for (let round = 0; round < 6; round++) {
      const pinged = new Promise((resolve) => link.webSocket.once("ping", resolve));
      bench?.clock.advance(30_000);
      await pinged;
      await settle();
    }
    expect(bench?.events.map(({ is }) => is)).toEqual(["server-connected"]);
    link.webSocket.pause();
    for (let round = 0; round < 4; round++) {
      await settle();
      bench?.clock.advance(30_000);
    }
    expect(await failure()).toContain("the server does not answer pings");
  });
});

describe("the system's certificates", () => {
  test("come one by one and without duplicates", async () => {
    const one = splitPem(pem("ca.crt"));
    expect(one).toHaveLength(1);
    expect(await loadSystemRoots({ SSL_CERT_FILE: file("ca.crt"), SSL_CERT_DIR: fixtures })).toEqual([...new Set([...one, ...["client.crt", "other.crt", "server.crt"].flatMap((name) => splitPem(pem(name)))])]);
  });

  test("nothing readable is no error", async () => {
    expect(await loadSystemRoots({ SSL_CERT_FILE: "/nowhere", SSL_CERT_DIR: "/nowhere" })).toEqual([]);
  });
});
