/**
 * Ids of stream entries: milliseconds and a sequence number, each an unsigned 64-bit integer. As everywhere, numbers are
 * plain where that is exact and bigints beyond 2^53; comparisons between the two kinds are exact in JavaScript.
 */
import { parseInt64 } from "../base/numbers.ts";

export type Uint64 = number | bigint;

export interface StreamId {
  readonly ms: Uint64;
  readonly seq: Uint64;
}

const MAX_UINT64 = 2n ** 64n - 1n;

export const MIN_ID: StreamId = { ms: 0, seq: 0 };
export const MAX_ID: StreamId = { ms: MAX_UINT64, seq: MAX_UINT64 };

/** Below 0, 0, or above 0, as a sort function has it. */
export function compareIds(a: StreamId, b: StreamId): number {
  if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1;
  return 0;
}

export function isZero(id: StreamId): boolean {
  return id.ms === 0 && id.seq === 0;
}

export function formatId({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

/** The id after this one; undefined for the greatest. */
export function nextId({ ms, seq }: StreamId): StreamId | undefined {
  if (seq !== MAX_UINT64) return { ms, seq: plus(seq, 1) };
  return ms === MAX_UINT64 ? undefined : { ms: plus(ms, 1), seq: 0 };
}

/** The id before this one; undefined for 0-0. */
export function previousId({ ms, seq }: StreamId): StreamId | undefined {
  if (seq !== 0) return { ms, seq: plus(seq, -1) };
  return ms === 0 ? undefined : { ms: plus(ms, -1), seq: MAX_UINT64 };
}

function plus(value: Uint64, by: 1 | -1): Uint64 {
  if (typeof value === "number" && value < Number.MAX_SAFE_INTEGER) return value + by;
  return narrow(BigInt(value) + BigInt(by));
}

function narrow(value: bigint): Uint64 {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** How Redis's own buffer limits the text of an id. */
const LONGEST = 127;

/** `ms-seq`, or `ms` alone which stands for `ms-missingSeq`; undefined for anything else. */
export function parseId(text: string, missingSeq: Uint64): StreamId | undefined {
  if (text.length > LONGEST) return undefined;
  const dash = text.indexOf("-");
  const ms = parseUint64(dash === -1 ? text : text.slice(0, dash));
  const seq = dash === -1 ? missingSeq : parseUint64(text.slice(dash + 1));
  return ms === undefined || seq === undefined ? undefined : { ms, seq };
}

/** `ms-*`, an id whose sequence number the server shall choose: its milliseconds. */
export function parseOpenId(text: string): Uint64 | undefined {
  return text.endsWith("-*") && text.length <= LONGEST ? parseUint64(text.slice(0, -2)) : undefined;
}

const STRTOULL = /^[\t-\r ]*([+-]?)(\d+)$/;

/** A canonical number that is not negative; else whatever strtoull makes of the text, leading zeros and signs included. */
function parseUint64(text: string): Uint64 | undefined {
  const plain = parseInt64(text);
  if (plain !== undefined) return plain < 0 ? undefined : plain;
  const [, sign, digits] = STRTOULL.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = BigInt(digits);
  if (value > MAX_UINT64) return undefined;
  return narrow(sign === "-" ? BigInt.asUintN(64, -value) : value);
}
