/**
 * The CA and the server certificate of the example server, made at the first run and kept in its data directory: no
 * private key is ever shipped. The server certificate is renewed by itself, the CA stays, so that agents which were told
 * to trust `ca-cert.pem` go on trusting the server.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { messageOf, SupervisorError } from "../../src/lib/error.js";
import { issueCertificate, type Issued } from "./issue-certificate.js";
import { replaceFile } from "./replace-file.js";

export interface ServerCertificates {
  readonly caFile: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 86_400_000;
const CA_MS = 3_650 * DAY_MS;
const SERVER_MS = 397 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Clocks of agents may lag behind ours. */
const BACKDATE_MS = DAY_MS;

/** @param nowMs Unix milliseconds. */
export async function ensureCertificates(directory: string, nowMs: number): Promise<ServerCertificates> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const ca = (await usable(directory, "ca", nowMs, () => true)) ?? (await make(directory, "ca", caRequest(nowMs)));
    const caCertificate = new X509Certificate(ca.certPem);
    const names = ["localhost", "127.0.0.1", "::1", ...ownName()];
    const fits = (found: X509Certificate): boolean =>
      found.verify(caCertificate.publicKey) && names.every((name) => holds(found, name));
    const server =
      (await usable(directory, "server", nowMs, fits)) ??
      (await make(directory, "server", {
        commonName: "OpAMP example server",
        subjectNames: names,
        notBeforeMs: nowMs - BACKDATE_MS,
        notAfterMs: nowMs + SERVER_MS,
        issuer: { commonName: commonName(caCertificate), key: createPrivateKey(ca.keyPem), publicKey: caCertificate.publicKey },
      }));
    return { caFile: join(directory, "ca-cert.pem"), caPem: ca.certPem, certPem: server.certPem + ca.certPem, keyPem: server.keyPem };
  } catch (error) {
    throw new SupervisorError(
      "server",
      `cannot keep certificates in ${directory}: ${messageOf(error)}; give a writable directory with --data, or use --no-tls`,
      { cause: error },
    );
  }
}

function caRequest(nowMs: number): Parameters<typeof issueCertificate>[0] {
  // The time keeps an old and a new CA apart in trust stores, which know them by name.
  const commonName = `OpAMP example server CA ${String(nowMs)}`;
  return { commonName, subjectNames: [], notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: nowMs + CA_MS, issuer: null };
}

/** What an earlier run left, if it can still be used: readable, a pair, not about to expire. Anything else is made anew. */
async function usable(
  directory: string,
  name: string,
  nowMs: number,
  fits: (certificate: X509Certificate) => boolean,
): Promise<Issued | null> {
  try {
    const certPem = await readFile(join(directory, `${name}-cert.pem`), "utf8");
    const keyPem = await readFile(join(directory, `${name}-key.pem`), "utf8");
    const certificate = new X509Certificate(certPem);
    const isFresh = Date.parse(certificate.validTo) - nowMs > RENEW_BEFORE_MS;
    const isPair = certificate.checkPrivateKey(createPrivateKey(keyPem));
    return isFresh && isPair && fits(certificate) ? { certPem, keyPem } : null;
  } catch {
    return null;
  }
}

async function make(directory: string, name: string, request: Parameters<typeof issueCertificate>[0]): Promise<Issued> {
  const issued = issueCertificate(request);
  await replaceFile(join(directory, `${name}-key.pem`), issued.keyPem, 0o600);
  await replaceFile(join(directory, `${name}-cert.pem`), issued.certPem, 0o644);
  return issued;
}

function holds(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** A host name that cannot stand in a certificate (not plain letters, digits, dots and dashes) is left out. */
function ownName(): string[] {
  const name = hostname().toLowerCase();
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) && name !== "localhost" ? [name] : [];
}

function commonName(certificate: X509Certificate): string {
  return /CN=(.*)/.exec(certificate.subject)?.[1] ?? "";
}
