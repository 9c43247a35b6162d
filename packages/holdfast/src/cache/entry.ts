/**
 * What is stored for an entry, as `set.lua` and `fill.lua` write it:
 *
 *     byte 0      1: this format
 *     bytes 1-6   until when it is served: the server's milliseconds since 1970, big-endian
 *     then        the value, as the codec has encoded it
 */
/** Not `undefined`: that is a value, the remembered "there is none". */
export const MISS: unique symbol = Symbol("miss");

const FORMAT = 1;
const HEAD_BYTES = 7;

/** The value's bytes; undefined where these are no entry of this version. */
export function payloadOf(stored: Buffer): Buffer | undefined {
  return stored[0] === FORMAT && stored.length > HEAD_BYTES ? stored.subarray(HEAD_BYTES) : undefined;
}

/** By the server's clock. */
export function expiresAtOf(stored: Buffer): number {
  return stored.readUIntBE(1, 6);
}
