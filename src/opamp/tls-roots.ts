/**
 * The CA certificates that this host trusts, found where Go looks for them: Node ignores the system's store, and a site
 * with a CA of its own would be cut off by moving here. Read when they are needed first, never on the way to a plain
 * endpoint.
 */
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** The first that can be read counts. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
/** All of them count. */
const DIRECTORIES = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/** One file of this size is no CA bundle. */
const BUNDLE_BYTES_MAX = 16 * 1024 * 1024;

/** One PEM text a certificate, without duplicates; empty where the host has none. */
export async function loadSystemRoots(env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const file = env["SSL_CERT_FILE"] ?? "";
  const directory = env["SSL_CERT_DIR"] ?? "";
  const certificates = new Set<string>();
  for (const path of file === "" ? BUNDLES : [file]) {
    const text = await readIfPresent(path);
    for (const certificate of splitPem(text ?? "")) certificates.add(certificate);
    if (text !== null) break;
  }
  for (const path of directory === "" ? DIRECTORIES : directory.split(":")) {
    const texts = await Promise.all((await certificateFiles(path)).map((entry) => readIfPresent(entry)));
    for (const certificate of texts.flatMap((text) => splitPem(text ?? ""))) certificates.add(certificate);
  }
  return [...certificates];
}

/** Certificates one by one: OpenSSL stops at the first broken one of a bundle, and would lose all behind it. */
export function splitPem(text: string): string[] {
  return text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
}

/** Links to a neighbour are hashes of files that are read anyway. */
async function certificateFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const paths = entries.map(async (entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return [];
    return entry.isSymbolicLink() && !(await readlink(path).catch(() => "")).includes("/") ? [] : [path];
  });
  return (await Promise.all(paths)).flat();
}

async function readIfPresent(path: string): Promise<string | null> {
  const bytes = await readFile(path).catch(() => null);
  return bytes === null || bytes.length > BUNDLE_BYTES_MAX ? null : bytes.toString("latin1");
}
