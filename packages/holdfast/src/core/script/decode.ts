/**
 * Replies to values. Generated code is made of these functions, so each of them is small and does one check: a reply
 * that the script's header does not allow is never handed on as if it were a value.
 */
import type { Reply } from "../../driver/port.ts";

/** A reply, or a place past the end of one: Lua ends a table at its first nil. */
export type Part = Reply | undefined;

/** The script and its header disagree; `run.ts` adds which script it was. */
export class UnexpectedReplyError extends Error {
  override readonly name: string = "UnexpectedReplyError";

  constructor(expected: string, got: Part) {
    super(`expected ${expected}, got ${describe(got)}`);
  }
}

const INTEGER = /^-?\d+$/;
/** node-redis adds up digits in doubles and is off by one in the last few integers below 2^53; text has no such gap. */
const MAX_EXACT_NUMBER = 2 ** 53 - 64;

export function decodeBytes(part: Part): Buffer {
  if (Buffer.isBuffer(part)) return part;
  throw new UnexpectedReplyError("bytes", part);
}

/** UTF-8. A status line (`redis.call('SET', ...)` answers one) is text too. */
export function decodeText(part: Part): string {
  if (typeof part === "string") return part;
  if (Buffer.isBuffer(part)) return part.toString();
  throw new UnexpectedReplyError("text", part);
}

/** A Lua number, or decimal digits as Redis stores them in strings and hashes. */
export function decodeInt(part: Part): number {
  if (typeof part === "number" && isExact(part)) return part;
  const value = Number(decimal(part));
  if (Number.isSafeInteger(value)) return value;
  throw new UnexpectedReplyError("an integer within ±2^53", part);
}

export function decodeBigint(part: Part): bigint {
  if (typeof part === "number" && isExact(part)) return BigInt(part);
  const digits = decimal(part);
  if (digits !== undefined) return BigInt(digits);
  throw new UnexpectedReplyError("an integer, as text where it can be past 2^53", part);
}

/** Text, because a Lua number is cut to an integer on its way out. Infinity is spelled as Redis spells it: `inf`. */
export function decodeFloat(part: Part): number {
  if (typeof part === "number") return part;
  const text = Buffer.isBuffer(part) ? part.toString("latin1") : "";
  if (text === "inf") return Infinity;
  if (text === "-inf") return -Infinity;
  const value = text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new UnexpectedReplyError("a number as text", part);
}

/** Lua's `true` arrives as 1 and `false` as null; stored flags are the texts 1 and 0. */
export function decodeBool(part: Part): boolean {
  if (part === 1 || part === true) return true;
  if (part === 0 || part === null || part === false) return false;
  const digits = decimal(part);
  if (digits === "1" || digits === "0") return digits === "1";
  throw new UnexpectedReplyError("a boolean", part);
}

export function decodeJson(part: Part): unknown {
  const text = decodeText(part);
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedReplyError("JSON", part);
  }
}

/** Null for nil, also for a nil that ended the table early. */
export function decodeOptional<T>(part: Part, decode: (part: Part) => T): T | null {
  return part === null || part === undefined ? null : decode(part);
}

export function decodeList<T>(part: Part, decode: (part: Part) => T): T[] {
  return elements(part).map((element) => decode(element));
}

/** A flat table of names and values, as HGETALL answers inside a script. */
export function decodeMap<T>(part: Part, decode: (part: Part) => T): Map<string, T> {
  const flat = elements(part, 2);
  const map = new Map<string, T>();
  for (let at = 0; at < flat.length; at += 2) map.set(decodeText(flat[at]), decode(flat[at + 1]));
  return map;
}

/** A flat table of rows with `width` columns, as ZRANGE WITHSCORES answers inside a script. */
export function decodeRows<T>(part: Part, width: number, decode: (flat: readonly Part[], at: number) => T): T[] {
  const flat = elements(part, width);
  const rows: T[] = [];
  for (let at = 0; at < flat.length; at += width) rows.push(decode(flat, at));
  return rows;
}

/** The status of a union result and its fields. A status without fields may come without its table. */
export function decodeUnion(part: Part): { readonly status: string; readonly fields: readonly Part[] } {
  const fields = Array.isArray(part) ? part : [part];
  return { status: decodeText(fields[0]), fields };
}

/** Fields may be missing at the end, where they are nil, but there are no others. */
export function expectFields(fields: readonly Part[], count: number): void {
  if (fields.length > count + 1) throw new UnexpectedReplyError(`${count} fields`, fields as Reply[]);
}

function elements(part: Part, width = 1): Reply[] {
  if (Array.isArray(part) && part.length % width === 0) return part;
  throw new UnexpectedReplyError(width === 1 ? "a list" : `a list with ${width} elements per entry`, part);
}

function isExact(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= MAX_EXACT_NUMBER;
}

function decimal(part: Part): string | undefined {
  if (typeof part === "bigint") return part.toString();
  const text = Buffer.isBuffer(part) ? part.toString("latin1") : part;
  return typeof text === "string" && INTEGER.test(text) ? text : undefined;
}

/** Says the kind and the size of a reply and never its content, which may be a secret of the user's. */
function describe(part: Part): string {
  if (part === undefined) return "nothing";
  if (Buffer.isBuffer(part)) return `${part.length} bytes`;
  if (Array.isArray(part)) return `a list of ${part.length}`;
  if (part instanceof Error) return "an error";
  return typeof part === "string" ? `a status of ${part.length} characters` : String(part);
}
