/** A certificate and its key in one file under a password, as `pfx` wants it: PKCS #12 (RFC 7292), with an integrity check and nothing enciphered. */
import { createHash, createHmac, createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import type { Certificate } from "./certificates.ts";
import { der, integer, octets, oid, sequence } from "./der.ts";

const OID = {
  data: "2a864886f70d010701",
  keyBag: "2a864886f70d010c0a0101",
  certificateBag: "2a864886f70d010c0a0103",
  x509: "2a864886f70d01091601",
  sha256: "608648016503040201",
} as const;

/** Of SHA-256's input. */
const BLOCK_BYTES = 64;
const ROUNDS = 2_048;
/** What the derived key is for: a MAC. */
const FOR_MAC = 3;

export function pkcs12({ cert, key }: Certificate, password: string): Buffer {
  const keyBag = bag(OID.keyBag, createPrivateKey(key).export({ type: "pkcs8", format: "der" }));
  const x509 = sequence(oid(OID.x509), explicit(octets(new X509Certificate(cert).raw)));
  const safe = sequence(data(sequence(keyBag, bag(OID.certificateBag, x509))));
  const salt = randomBytes(8);
  const mac = createHmac("sha256", macKey(password, salt)).update(safe).digest();
  const digest = sequence(sequence(oid(OID.sha256), der(0x05, Buffer.alloc(0))), octets(mac));
  const rounds = integer(Buffer.of(ROUNDS >> 8, ROUNDS & 0xff));
  return sequence(integer(Buffer.of(3)), data(safe), sequence(digest, octets(salt), rounds));
}

function bag(id: string, content: Buffer): Buffer {
  return sequence(oid(id), explicit(content));
}

function data(content: Buffer): Buffer {
  return bag(OID.data, octets(content));
}

function explicit(content: Buffer): Buffer {
  return der(0xa0, content);
}

/** RFC 7292, appendix B.2: one block is enough. */
function macKey(password: string, salt: Buffer): Buffer {
  const secret = Buffer.from(`${password}\0`, "utf16le").swap16();
  let hash = Buffer.concat([Buffer.alloc(BLOCK_BYTES, FOR_MAC), blocksOf(salt), blocksOf(secret)]);
  for (let round = 0; round < ROUNDS; round += 1) hash = createHash("sha256").update(hash).digest();
  return hash;
}

/** Repeated until it fills whole blocks. */
function blocksOf(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / BLOCK_BYTES) * BLOCK_BYTES, bytes);
}
