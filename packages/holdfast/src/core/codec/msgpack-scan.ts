/**
 * A walk over MessagePack that builds nothing, done before decoding: a decoder allocates an array as long as its header claims, so
 * that one flipped bit, or a few bytes of malice, would cost gigabytes. After the walk all the claims together are at most
 * as many values as there are bytes, and within the bounds.
 */
import { CodecError } from "../../base/errors.ts";
import type { Bounds } from "./format.ts";
import { tooDeep, tooMany } from "./json-scan.ts";

/** Of the encoder, and the most that `maxDepth` can be: both it and the decoder call themselves for each level. */
export const MAX_DEPTH = 256;

/** What follows a value's first byte. */
interface Shape {
  /** Bytes of the big-endian count that comes first, or 0 where `count` is already known. */
  readonly width: 0 | 1 | 2 | 4;
  readonly count: number;
  /** Bytes whatever the count. */
  readonly fixed: number;
  /** Bytes, and values, for each of the count. */
  readonly bytesEach: number;
  readonly valuesEach: number;
}

const NOTHING: Shape = { width: 0, count: 0, fixed: 0, bytesEach: 0, valuesEach: 0 };
const COUNT_WIDTHS = [1, 2, 4] as const;
const isBin = (head: number): boolean => head >= 0xc4 && head <= 0xc6;

/** Shapes by first byte; the one byte without a meaning (0xC1) has none. */
const SHAPES: readonly (Shape | undefined)[] = Array.from({ length: 256 }, (_, head) => shapeOf(head));

function shapeOf(head: number): Shape | undefined {
  if (head <= 0x7f || head >= 0xe0) return NOTHING;
  if (head <= 0x8f) return { ...NOTHING, count: head & 0x0f, valuesEach: 2 };
  if (head <= 0x9f) return { ...NOTHING, count: head & 0x0f, valuesEach: 1 };
  if (head <= 0xbf) return { ...NOTHING, fixed: head & 0x1f };
  if (head === 0xc1) return undefined;
  if (head <= 0xc3) return NOTHING;
  if (isBin(head)) return { ...NOTHING, width: COUNT_WIDTHS[head - 0xc4]!, bytesEach: 1 };
  if (head <= 0xc9) return { ...NOTHING, width: COUNT_WIDTHS[head - 0xc7]!, bytesEach: 1, fixed: 1 };
  if (head <= 0xcb) return { ...NOTHING, fixed: 4 << (head - 0xca) };
  if (head <= 0xcf) return { ...NOTHING, fixed: 1 << (head - 0xcc) };
  if (head <= 0xd3) return { ...NOTHING, fixed: 1 << (head - 0xd0) };
  if (head <= 0xd8) return { ...NOTHING, fixed: 1 + (1 << (head - 0xd4)) };
  if (head <= 0xdb) return { ...NOTHING, width: COUNT_WIDTHS[head - 0xd9]!, bytesEach: 1 };
  if (head <= 0xdd) return { ...NOTHING, width: head === 0xdc ? 2 : 4, valuesEach: 1 };
  return { ...NOTHING, width: head === 0xde ? 2 : 4, valuesEach: 2 };
}

/** Throws unless `bytes` are exactly one value within its bounds. */
export function scan(bytes: Buffer, bounds: Bounds): { readonly hasBinary: boolean } {
  let position = 0;
  let hasBinary = false;
  let items = 0;
  /** Values still to come: each takes at least one byte. */
  let pending = 1;
  /** The same, for each array and map that is open. */
  const open = [1];
  while (pending > 0) {
    if (pending > bytes.length - position) throw truncated();
    while (open.at(-1) === 0) open.pop();
    const head = bytes[position]!;
    const shape = SHAPES[head];
    if (shape === undefined) throw new CodecError("corrupt", "the stored MessagePack contains the unused byte 0xc1");
    position += 1;
    if (position + shape.width > bytes.length) throw truncated();
    const count = shape.width === 0 ? shape.count : bytes.readUIntBE(position, shape.width);
    const values = count * shape.valuesEach;
    position += shape.width + shape.fixed + count * shape.bytesEach;
    pending += values - 1;
    open[open.length - 1]! -= 1;
    hasBinary ||= isBin(head);
    if (values === 0) continue;
    if (pending > bytes.length - position) throw truncated();
    items += count;
    if (items > bounds.maxItems) throw tooMany(bounds);
    if (open.push(values) > bounds.maxDepth + 1) throw tooDeep(bounds);
  }
  if (position > bytes.length) throw truncated();
  if (position < bytes.length) throw new CodecError("corrupt", "bytes follow the end of the stored MessagePack value");
  return { hasBinary };
}

function truncated(): CodecError {
  return new CodecError("truncated", "the stored MessagePack value is cut off");
}
