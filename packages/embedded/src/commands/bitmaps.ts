/** Bitmaps: strings as rows of bits. Bit 0 is the most significant bit of the first byte. */
import { fail, SYNTAX, WRONG_TYPE } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { int64Argument, parseInt64 } from "../base/numbers.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { byteOf, type BitRange, countBits, findBit, maskOf } from "../structures/bits.ts";
import { Bytes } from "../values/bytes.ts";
import { type Command, command, is } from "../engine/command.ts";

const OFFSET = "ERR bit offset is not an integer or out of range";
const BIT = "ERR bit is not an integer or out of range";

export const bitmapCommands: readonly Command[] = [
  command({
    name: "setbit",
    arity: 4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, offset, bit]) => setBit(ctx, key, bitOffsetArgument(ctx, offset), bitArgument(bit)),
  }),
  command({
    name: "getbit",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, offset]) => {
      const bit = bitOffsetArgument(ctx, offset);
      const value = readBinary(ctx, key);
      return value !== undefined && (byteAt(value, byteOf(bit)) & maskOf(bit)) !== 0 ? 1 : 0;
    },
  }),
  command({
    name: "bitcount",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, ...range]) => count(ctx, key, range),
  }),
  command({
    name: "bitpos",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, bit, ...range]) => position(ctx, key, int64Argument(bit), range),
  }),
];

/** A string as it is kept, without a copy. */
export function readBinary(ctx: Session, key: string): string | Bytes | undefined {
  const value = ctx.db.read(key)?.value;
  return value === undefined || typeof value === "string" || value instanceof Bytes ? value : fail(WRONG_TYPE);
}

/** 0 beyond the end. */
export function byteAt(value: string | Bytes, index: number): number {
  if (typeof value !== "string") return value.at(index);
  return index < value.length ? value.charCodeAt(index) : 0;
}

export function bytesOf(value: string | Bytes): Uint8Array {
  return typeof value === "string" ? Buffer.from(value, "latin1") : value.view();
}

/** Offsets end where the longest string ends. `#n` is n times `width`, where a width is given. */
export function bitOffsetArgument(ctx: Session, text: string, width?: number): number {
  const scaled = width !== undefined && text.startsWith("#");
  const value = parseInt64(scaled ? text.slice(1) : text) ?? fail(OFFSET);
  const offset = Number(scaled ? BigInt.asIntN(64, BigInt(value) * BigInt(width)) : value);
  return offset < 0 || byteOf(offset) >= ctx.engine.config.number("proto-max-bulk-len") ? fail(OFFSET) : offset;
}

/** The string, grown to `bytes`; made where there is none. */
export function growBinary(
  ctx: Session,
  key: string,
  bytes: number,
): { readonly value: Bytes; readonly grown: boolean } {
  const known = ctx.db.bytesForWrite(key);
  const value = known ?? new Bytes("");
  const grown = value.length < bytes;
  value.grow(bytes);
  if (known === undefined) ctx.db.add(key, value);
  return { value, grown };
}

function bitArgument(text: string): 0 | 1 {
  const bit = int64Argument(text, BIT);
  return bit === 0 || bit === 1 ? bit : fail(BIT);
}

/** Only what changes the string counts as a change. */
function setBit(ctx: Session, key: string, offset: number, bit: 0 | 1): Reply {
  const at = byteOf(offset);
  const mask = maskOf(offset);
  const { value, grown } = growBinary(ctx, key, at + 1);
  const byte = value.at(at);
  const old = (byte & mask) === 0 ? 0 : 1;
  if (old !== bit) value.set(at, byte ^ mask);
  if (grown || old !== bit) ctx.db.changed(key, EVENT.string, "setbit");
  return old;
}

function count(ctx: Session, key: string, options: readonly string[]): Reply {
  const value = readBinary(ctx, key);
  if (value === undefined) return 0;
  if (options.length === 1 || options.length > 3) fail(SYNTAX);
  const range = options.length === 0 ? whole(value.length) : countRange(value.length, options);
  return range === undefined ? 0 : countBits(bytesOf(value), range);
}

function countRange(length: number, [startText = "", endText = "", unit]: readonly string[]): BitRange | undefined {
  const start = int64Argument(startText);
  const end = int64Argument(endText);
  if (start < 0 && end < 0 && start > end) return undefined;
  return rangeOf(length, start, end, inBits(unit));
}

/** Where the end is left open, zeros follow the string, so that a zero is always found. */
function position(ctx: Session, key: string, bit: number | bigint, options: readonly string[]): Reply {
  if (bit !== 0 && bit !== 1) return fail("ERR The bit argument must be 1 or 0.");
  const value = readBinary(ctx, key);
  if (value === undefined) return bit === 1 ? -1 : 0;
  if (options.length > 3) fail(SYNTAX);
  const [startText, endText, unit] = options;
  const start = startText === undefined ? 0 : int64Argument(startText);
  const counted = inBits(unit);
  const end = endText === undefined ? -1 : int64Argument(endText);
  const range = rangeOf(value.length, start, end, counted);
  if (range === undefined) return -1;
  const found = findBit(bytesOf(value), bit, range);
  return found === -1 && bit === 0 && endText === undefined ? value.length * 8 : found;
}

/** Whether a range counts bits and not bytes. */
function inBits(unit: string | undefined): boolean {
  if (unit === undefined || is(unit, "BYTE")) return false;
  return is(unit, "BIT") || fail(SYNTAX);
}

function whole(length: number): BitRange | undefined {
  return length === 0 ? undefined : { first: 0, last: length * 8 - 1 };
}

/** Both ends included; negative ones count from the end. Undefined for an empty range. */
function rangeOf(length: number, start: number | bigint, end: number | bigint, counted: boolean): BitRange | undefined {
  const total = counted ? length * 8 : length;
  const from = Math.max(start < 0 ? total + Number(start) : Number(start), 0);
  const to = Math.min(Math.max(end < 0 ? total + Number(end) : Number(end), 0), total - 1);
  if (from > to) return undefined;
  return counted ? { first: from, last: to } : { first: from * 8, last: to * 8 + 7 };
}
