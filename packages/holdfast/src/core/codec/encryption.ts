/**
 * AES-256-GCM (NIST SP 800-38D) around the payload of a stored value:
 *
 *     header (2 bytes, the encrypted bit set) | length of the key id (1) | key id | nonce (12) | ciphertext | tag (16)
 *
 * The tag also covers everything before the nonce, and the context's `aad`: neither the flags nor the place where the value is
 * stored can be changed unnoticed. Nonces are random, so a key must be replaced before it has encrypted 2^32 values.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from "node:crypto";
import { CodecError, InvalidArgumentError, said } from "../../base/errors.ts";
import type { OptionNames } from "../../base/options.ts";
import { ENCRYPTED, HEADER_LENGTH } from "./header.ts";

export interface EncryptOptions {
  /**
   * Keys by id. A key is 32 bytes: a Uint8Array, or a string in hex, base64 or base64url. Ids are stored, in clear,
   * with each value: 1 to 255 bytes of UTF-8. A key stays here for as long as there are values that it encrypted.
   */
  readonly keys: Record<string, string | Uint8Array>;
  /** The id of the key that encrypts; all of them decrypt. */
  readonly current: string;
  /**
   * Also read values that are not encrypted: for the time of a migration only, because whoever can write to the server can
   * then replace an encrypted value by a plain one.
   * @default false
   */
  readonly allowPlaintext?: boolean;
}

const ALGORITHM = "aes-256-gcm";
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const MAX_ID_LENGTH = 255;
const HEX_KEY = /^[0-9a-f]{64}$/i;
/** An id that is shown in messages. */
const PLAIN_ID = /^[\w.:-]{1,32}$/;
const BASE64_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

export class Keyring {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #currentId: Buffer;
  readonly #currentKey: KeyObject;

  constructor(options: EncryptOptions) {
    const { keys, current } = checked(options);
    this.#keys = new Map(Object.entries(keys).map(([id, key], at) => [checkedId(id), importKey(at, key)]));
    const key = this.#keys.get(current);
    if (key === undefined) throw refused("encrypt.current", "the id of one of encrypt.keys", current);
    this.#currentId = Buffer.from(current, "utf8");
    this.#currentKey = key;
  }

  /** From a frame to an encrypted one. */
  seal(frame: Buffer, aad: string | Buffer | undefined): Buffer {
    const prefixLength = HEADER_LENGTH + 1 + this.#currentId.length;
    const bodyStart = prefixLength + NONCE_LENGTH;
    const sealed = Buffer.allocUnsafe(bodyStart + frame.length - HEADER_LENGTH + TAG_LENGTH);
    sealed[0] = frame[0]!;
    sealed[1] = frame[1]! | ENCRYPTED;
    sealed[HEADER_LENGTH] = this.#currentId.length;
    sealed.set(this.#currentId, HEADER_LENGTH + 1);
    const nonce = randomFillSync(sealed.subarray(prefixLength, bodyStart));

    const cipher = createCipheriv(ALGORITHM, this.#currentKey, nonce, { authTagLength: TAG_LENGTH });
    cipher.setAAD(associatedData(sealed.subarray(0, prefixLength), aad));
    sealed.set(cipher.update(frame.subarray(HEADER_LENGTH)), bodyStart);
    // GCM has nothing left to say at the end: `final` only computes the tag.
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - TAG_LENGTH);
    return sealed;
  }

  /** The payload of an encrypted value, without its header. */
  open(sealed: Buffer, aad: string | Buffer | undefined): Buffer {
    const prefixLength = HEADER_LENGTH + 1 + (sealed[HEADER_LENGTH] ?? 0);
    const bodyStart = prefixLength + NONCE_LENGTH;
    const bodyEnd = sealed.length - TAG_LENGTH;
    if (bodyEnd < bodyStart) throw new CodecError("truncated", "the encrypted value is cut off");

    const key = this.#keyOf(sealed.toString("utf8", HEADER_LENGTH + 1, prefixLength));
    const nonce = sealed.subarray(prefixLength, bodyStart);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(associatedData(sealed.subarray(0, prefixLength), aad));
    decipher.setAuthTag(sealed.subarray(bodyEnd));
    const payload = decipher.update(sealed.subarray(bodyStart, bodyEnd));
    try {
      decipher.final();
    } catch (cause) {
      const message =
        "the encrypted value is damaged, or belongs to another place, or its key was replaced under the same id";
      throw new CodecError("corrupt", message, { cause });
    }
    return payload;
  }

  #keyOf(id: string): KeyObject {
    const key = this.#keys.get(id);
    if (key !== undefined) return key;
    const named = PLAIN_ID.test(id) ? `key "${id}"` : "a key";
    throw new CodecError("key", `the value is encrypted with ${named}, which encrypt.keys does not have`);
  }
}

/** Unambiguous without a separator: the prefix contains its own length. */
function associatedData(prefix: Buffer, aad: string | Buffer = ""): Buffer {
  return aad.length === 0 ? prefix : Buffer.concat([prefix, typeof aad === "string" ? Buffer.from(aad, "utf8") : aad]);
}

/**
 * None of the following quotes what was given: a key may stand where an id, a name or the whole of the options belongs.
 */
function checked(options: EncryptOptions): EncryptOptions {
  if (!isRecord(options)) throw refused("encrypt", "an object { keys, current }", options);
  if (Object.keys(options).some((name) => !Object.hasOwn(NAMES, name))) {
    throw new InvalidArgumentError("encrypt", `only ${Object.keys(NAMES).join(", ")}`, said("another option"));
  }
  const { keys, allowPlaintext } = options;
  if (!isRecord(keys) || keys instanceof Uint8Array) throw refused("encrypt.keys", "an object of keys by id", keys);
  if (allowPlaintext !== undefined && typeof allowPlaintext !== "boolean") {
    throw refused("encrypt.allowPlaintext", "true or false", allowPlaintext);
  }
  return options;
}

const NAMES: OptionNames<EncryptOptions> = { keys: true, current: true, allowPlaintext: true };

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkedId(id: string): string {
  const length = Buffer.byteLength(id, "utf8");
  if (length >= 1 && length <= MAX_ID_LENGTH) return id;
  throw new InvalidArgumentError("encrypt.keys", `key ids of 1 to ${MAX_ID_LENGTH} bytes`, said(`one of ${length}`));
}

function importKey(at: number, key: string | Uint8Array): KeyObject {
  const bytes = typeof key === "string" ? decodeKey(key) : key;
  if (bytes instanceof Uint8Array && bytes.length === KEY_LENGTH) return createSecretKey(bytes);
  const expected = `keys of ${KEY_LENGTH} bytes as a Uint8Array, hex or base64`;
  throw new InvalidArgumentError("encrypt.keys", expected, said(`another as key number ${at + 1}`));
}

function decodeKey(key: string): Buffer | undefined {
  if (HEX_KEY.test(key)) return Buffer.from(key, "hex");
  return BASE64_KEY.test(key) ? Buffer.from(key, "base64") : undefined;
}

function refused(field: string, expected: string, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(field, expected, got);
}
