/**
 * What is stored for an entry, as `set.lua` and `fill.lua` write it:
 *
 *     byte 0       2: this format; with 16: kept past its time (grace); with 32: with what is known about it
 *     bytes 1-6    until when it is served: the server's milliseconds since 1970, big-endian
 *     bytes 7-12   its sequence: that of the last invalidation which was known before it was loaded (versions/versions.ts)
 *     then         with 32: two bytes of length, and JSON of `About`
 *     then         the value, as the codec has encoded it
 */
/** Not `undefined`: that is a value, the remembered "there is none". */
export const MISS: unique symbol = Symbol("miss");

/** What an entry carries besides its value, where it has any of it. */
export interface About {
  /** Tags. */
  readonly t?: readonly string[];
  /** What the source calls this version of the value. */
  readonly e?: string;
  /** For how many milliseconds it is served, and how many the load took: where it is refreshed ahead of its end. */
  readonly l?: number;
  readonly d?: number;
}

const FORMAT = 2;
const HAS_GRACE = 16;
const HAS_ABOUT = 32;
const UNTIL_AT = 1;
const SEQUENCE_AT = 7;
const HEAD_BYTES = 13;
const MAX_ABOUT_BYTES = 65_535;

/** The head as scripts take it: without the time, which they put in. */
export function headOf(sequence: number, hasGrace: boolean, about: About | undefined): Buffer {
  const text = about === undefined ? undefined : Buffer.from(JSON.stringify(about));
  if (text !== undefined && text.length > MAX_ABOUT_BYTES) throw new RangeError("more about an entry than fits");
  const head = Buffer.allocUnsafe(text === undefined ? 7 : 9 + text.length);
  head[0] = FORMAT + (hasGrace ? HAS_GRACE : 0) + (text === undefined ? 0 : HAS_ABOUT);
  head.writeUIntBE(sequence, 1, 6);
  if (text === undefined) return head;
  head.writeUInt16BE(text.length, 7);
  text.copy(head, 9);
  return head;
}

export function sequenceBytes(sequence: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(sequence, 0, 6);
  return bytes;
}

/** Whether it is an entry of this version. What follows may be asked of such ones only. */
export function isEntry(stored: Buffer): boolean {
  const format = stored[0]!;
  if (stored.length <= HEAD_BYTES || (format & 15) !== FORMAT || format > FORMAT + HAS_GRACE + HAS_ABOUT) return false;
  return format < HAS_ABOUT || stored.length > aboutEnd(stored);
}

/** The value's bytes. */
export function payloadOf(stored: Buffer): Buffer {
  if (!hasAbout(stored)) return stored.subarray(HEAD_BYTES);
  return stored.subarray(aboutEnd(stored));
}

/** Where the value begins, of an entry of which something is known. */
export function aboutEnd(stored: Buffer): number {
  return HEAD_BYTES + 2 + stored.readUInt16BE(HEAD_BYTES);
}

/** By which one of a key's entries is known from the others. */
export function markOf(stored: Buffer): Buffer {
  return stored.subarray(0, HEAD_BYTES);
}

/** By the server's clock. */
export function freshUntil(stored: Buffer): number {
  return stored.readUIntBE(UNTIL_AT, 6);
}

export function sequenceOf(stored: Buffer): number {
  return stored.readUIntBE(SEQUENCE_AT, 6);
}

/** Whether it is kept past the end of its time. */
export function hasGrace(stored: Buffer): boolean {
  return (stored[0]! & HAS_GRACE) !== 0;
}

export function hasAbout(stored: Buffer): boolean {
  return stored[0]! >= HAS_ABOUT;
}

export function aboutOf(stored: Buffer): About | undefined {
  if (!hasAbout(stored)) return undefined;
  return JSON.parse(stored.toString("utf8", HEAD_BYTES + 2, aboutEnd(stored))) as About;
}

/** @param timing where it is refreshed ahead of its end */
export function aboutWith(
  tags: readonly string[] | undefined,
  etag: string | undefined,
  timing: { readonly servedMs: number; readonly tookMs: number } | undefined,
): About | undefined {
  const hasTags = tags !== undefined && tags.length > 0;
  if (!hasTags && etag === undefined && timing === undefined) return undefined;
  return {
    ...(hasTags && { t: tags }),
    ...(etag !== undefined && { e: etag }),
    ...(timing !== undefined && { l: timing.servedMs, d: Math.ceil(timing.tookMs) }),
  };
}

/** Whether an entry differs from another one of these by its time and its sequence only. */
export function hasSameHead(stored: Buffer, isGraced: boolean, about: About | undefined): boolean {
  return hasGrace(stored) === isGraced && JSON.stringify(aboutOf(stored)) === JSON.stringify(about);
}

/** How long before its end an entry is loaded again, in milliseconds; 0: not at all. */
export function aheadOf(about: About | undefined, refreshAhead: number | "xfetch", chance: number): number {
  if (about?.l === undefined) return 0;
  return refreshAhead === "xfetch" ? -Math.max(1, about.d ?? 0) * Math.log(1 - chance) : about.l * (1 - refreshAhead);
}
