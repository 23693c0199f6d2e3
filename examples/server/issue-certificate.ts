/** Issues the two certificates of the example server: a CA of its own, and the server certificate that it signs. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { der } from "./der.js";

export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Names and addresses that the certificate is good for; empty for a CA. */
  readonly subjectNames: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Null: the certificate signs itself and is a CA. */
  readonly issuer: { readonly commonName: string; readonly key: KeyObject; readonly publicKey: KeyObject } | null;
}

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
};
const VERSION_3 = Uint8Array.of(2);
const SERIAL_BYTES = 16;
/** Bit masks of the key usage extension with their count of unused bits. */
const USAGE_DIGITAL_SIGNATURE = { mask: 0x80, unusedBits: 7 };
const USAGE_CERT_AND_CRL_SIGN = { mask: 0x06, unusedBits: 1 };

export function issueCertificate(request: CertificateRequest): Issued {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = request.issuer ?? { commonName: request.commonName, key: privateKey, publicKey };
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const body = der.sequence(
    der.explicit(0, der.integer(VERSION_3)),
    der.integer(serialNumber()),
    algorithm,
    distinguishedName(signer.commonName),
    der.sequence(der.time(request.notBeforeMs), der.time(request.notAfterMs)),
    distinguishedName(request.commonName),
    publicKey.export({ type: "spki", format: "der" }),
    der.explicit(3, der.sequence(...extensions(request, publicKey, signer.publicKey))),
  );
  const certificate = der.sequence(body, algorithm, der.bits(sign("sha256", body, signer.key)));
  return { certPem: pem(certificate), keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** Random, so that no two certificates of one CA share a number; the top bit is clear, so that it is positive. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.text(commonName))));
}

function extensions(request: CertificateRequest, publicKey: KeyObject, issuerKey: KeyObject): Buffer[] {
  const isCa = request.issuer === null;
  const usage = isCa ? USAGE_CERT_AND_CRL_SIGN : USAGE_DIGITAL_SIGNATURE;
  const common = [
    extension(OID.basicConstraints, true, isCa ? der.sequence(der.boolean(true)) : der.sequence()),
    extension(OID.keyUsage, true, der.bits(Uint8Array.of(usage.mask), usage.unusedBits)),
    extension(OID.subjectKeyId, false, der.octets(keyId(publicKey))),
    extension(OID.authorityKeyId, false, der.sequence(der.implicit(0, keyId(issuerKey)))),
  ];
  if (isCa) return common;
  return [
    ...common,
    extension(OID.extendedKeyUsage, false, der.sequence(der.oid(OID.serverAuth))),
    extension(OID.subjectAltName, false, der.sequence(...request.subjectNames.map(subjectName))),
  ];
}

function extension(oid: string, critical: boolean, content: Buffer): Buffer {
  return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octets(content));
}

/** The uncompressed point is the last 65 bytes of a P-256 key; its SHA-1 is the customary key identifier. */
function keyId(key: KeyObject): Buffer {
  const point = key.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest();
}

function subjectName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return der.implicit(2, Buffer.from(name, "latin1"));
  return der.implicit(7, family === 4 ? Buffer.from(name.split(".").map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
