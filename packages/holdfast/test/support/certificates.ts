/**
 * A certificate authority and what it signs, in the few lines of DER that this takes: Node has no maker of
 * certificates, and a machine need not have the openssl program. X.509: RFC 5280; P-256 with SHA-256: RFC 5758.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { bitString, der, integer, oid, sequence } from "./der.ts";

export interface Certificate {
  /** Both PEM. */
  readonly cert: string;
  readonly key: string;
}

interface Subject {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const OID = {
  commonName: "550403",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  ecdsaWithSha256: "2a8648ce3d040302",
} as const;

const DAY_MS = 86_400_000;

export class CertificateAuthority {
  /** PEM of its own certificate, which a client must trust. */
  readonly cert: string;
  readonly #commonName: string;
  readonly #privateKey: KeyObject;

  constructor(commonName: string) {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#commonName = commonName;
    this.#privateKey = privateKey;
    this.cert = this.#sign({ commonName, publicKey, extensions: [isAuthority(), mayOnlySign()] });
  }

  /** For a server, or with empty names for a client. IPv4 addresses only. */
  issue(commonName: string, names: { dns?: readonly string[]; ip?: readonly string[] } = {}): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const alternatives = [
      ...(names.dns ?? []).map((name) => der(0x82, Buffer.from(name))),
      ...(names.ip ?? []).map((address) => der(0x87, Buffer.from(address.split(".").map(Number)))),
    ];
    const extensions =
      alternatives.length === 0 ? [] : [extension(OID.subjectAltName, false, sequence(...alternatives))];
    const cert = this.#sign({ commonName, publicKey, extensions });
    return { cert, key: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
  }

  #sign(subject: Subject): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const now = Date.now();
    const toBeSigned = sequence(
      der(0xa0, integer(Buffer.of(2))), // version 3
      integer(Buffer.concat([Buffer.of(1), randomBytes(15)])), // the leading 1 keeps it positive
      algorithm,
      distinguishedName(this.#commonName),
      sequence(utcTime(now - DAY_MS), utcTime(now + 30 * DAY_MS)),
      distinguishedName(subject.commonName),
      subject.publicKey.export({ type: "spki", format: "der" }),
      ...(subject.extensions.length === 0 ? [] : [der(0xa3, sequence(...subject.extensions))]),
    );
    return pem(sequence(toBeSigned, algorithm, bitString(sign("sha256", toBeSigned, this.#privateKey))));
  }
}

/** `YYMMDDhhmmssZ` */
function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]/g, "");
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, critical: boolean, content: Buffer): Buffer {
  const flag = critical ? [der(0x01, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...flag, der(0x04, content));
}

function isAuthority(): Buffer {
  return extension(OID.basicConstraints, true, sequence(der(0x01, Buffer.of(0xff))));
}

/** keyCertSign and cRLSign: bits 5 and 6 of a string of 7. */
function mayOnlySign(): Buffer {
  return extension(OID.keyUsage, true, bitString(Buffer.of(0b0000_0110), 1));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
