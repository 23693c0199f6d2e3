import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity, connect, type PeerCertificate } from "node:tls";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ensureCertificates } from "../../../examples/server/certificates.js";
import { startTestServer } from "../../support/opamp-server.js";
import { firstMessage, webSocketAgent } from "./scripted-agent.js";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-06-01T00:00:00Z");

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "certificates-"));
});
afterEach(() => rm(directory, { recursive: true }));

it("a client that trusts the CA, and nothing else, accepts the server under each of its names", async () => {
  const server = await startTestServer({ dataDirectory: directory });
  const port = Number(new URL(server.webSocketUrl).port);
  for (const servername of ["localhost", "127.0.0.1", "::1", hostname()]) {
    const options = { host: "127.0.0.1", port, ca: server.caPem ?? "" };
    const authorized = await new Promise<boolean>((resolve, reject) => {
      const asNamed = (_host: string, certificate: PeerCertificate): Error | undefined => checkServerIdentity(servername, certificate);
      const socket = connect({ ...options, checkServerIdentity: asNamed }, () => {
        resolve(socket.authorized);
        socket.destroy();
      }).on("error", reject);
    });
    expect(authorized).toBe(true);
  }
  expect(server.webSocketUrl).toMatch(/^wss:/);
  expect(server.httpUrl).toMatch(/^https:/);
  expect((await (await webSocketAgent(server)).ask(firstMessage())).instanceUid).toHaveLength(16);
  await expect(webSocketAgent({ webSocketUrl: server.webSocketUrl, caPem: null })).rejects.toThrow(/self-signed|unable to/);
  await server.close();
});

it("both certificates say what they are for", async () => {
  const made = await ensureCertificates(directory, NOW);
  const ca = new X509Certificate(made.caPem);
  const server = new X509Certificate(made.certPem);
  expect([ca.ca, server.ca]).toEqual([true, false]);
  expect([ca.checkIssued(ca), ca.verify(ca.publicKey), server.checkIssued(ca), server.verify(ca.publicKey)]).toEqual([true, true, true, true]);
  expect(server.subjectAltName).toContain("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(ca.serialNumber).not.toBe(server.serialNumber);
  expect((await stat(join(directory, "ca-key.pem"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, "server-key.pem"))).mode & 0o777).toBe(0o600);
});

it("they are kept, the server's is renewed in time, and the CA stays", async () => {
  const first = await ensureCertificates(directory, NOW);
  expect(await ensureCertificates(directory, NOW + 300 * DAY_MS)).toEqual(first);
  const renewed = await ensureCertificates(directory, NOW + 380 * DAY_MS);
  expect(renewed.caPem).toBe(first.caPem);
  expect(renewed.certPem).not.toBe(first.certPem);
  expect(new X509Certificate(renewed.certPem).verify(new X509Certificate(first.caPem).publicKey)).toBe(true);
});

it.each(["ca-key.pem", "ca-cert.pem", "server-key.pem", "server-cert.pem"])("a damaged %s is made anew", async (name) => {
  await ensureCertificates(directory, NOW);
  await writeFile(join(directory, name), "damaged");
  const made = await ensureCertificates(directory, NOW);
  expect(new X509Certificate(made.certPem).verify(new X509Certificate(made.caPem).publicKey)).toBe(true);
  expect(await readFile(join(directory, name), "utf8")).toContain("-----BEGIN");
});

it("a directory that cannot be used is named with the remedy", async () => {
  const file = join(directory, "file");
  await writeFile(file, "");
  await expect(ensureCertificates(file, NOW)).rejects.toThrow(new RegExp(`^cannot keep certificates in ${file}: .*; give a writable directory with --data, or use --no-tls$`));
});
