/**
 * Entries of an index, as bytes whose order is that of the values: `<field> 00 <value> <id> 00 <token>`.
 *
 * A value is a letter for its type and what orders within it: eight bytes of a double, or text in UTF-8 and a `00`. A `00` within a text is
 * `00 FF`, so that a text comes before its continuations. What follows a value never begins with `FF`, which UTF-8 has not.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";

/** From `min` on, up to and without `max`. */
export interface Range {
  readonly min: Buffer;
  readonly max: Buffer;
}

export interface Entry {
  /** Field and value. */
  readonly key: Buffer;
  readonly id: string;
  readonly token: string;
}

const END = Buffer.of(0);
const LAST = Buffer.of(0xff);
/** Past each token, and before the continuations of the id. */
const AFTER_TOKENS = Buffer.of(0, 0xfe);
/** What an entry has of a text. */
export const MAX_TEXT_BYTES = 256;
const MAX_MEMBERS = 256;
export const TOKEN_LENGTH = 16;
const TOKEN_EPOCH_MS = Date.UTC(2020, 0);
const TYPES = { null: "a", boolean: "b", date: "d", number: "n", string: "s" } as const;

/** Names one write's entries and claims, and when it began: 48 random bits and milliseconds. */
export function tokenOf(runtime: Runtime, nowMs: number): string {
  const time = Math.max(0, Math.floor(nowMs) - TOKEN_EPOCH_MS);
  return runtime.randomBytes(6).toString("base64url") + time.toString(36).padStart(8, "0");
}

/** @param token or what begins with one */
export function timeOfToken(token: string): number {
  return Number.parseInt(token.slice(8, TOKEN_LENGTH), 36) + TOKEN_EPOCH_MS;
}

export function headOf(field: string): Buffer {
  return Buffer.concat([Buffer.from(field), END]);
}

/** The whole of a value; undefined for what is in no index. */
export function valueKey(value: unknown): Buffer | undefined {
  if (value === null) return Buffer.from(TYPES.null);
  if (typeof value === "boolean") return Buffer.from(TYPES.boolean + (value ? "1" : "0"));
  if (typeof value === "number") return Number.isNaN(value) ? undefined : ofNumber(TYPES.number, value);
  if (value instanceof Date) {
    const time = value.getTime();
    return Number.isNaN(time) ? undefined : ofNumber(TYPES.date, time);
  }
  if (typeof value !== "string") return undefined;
  return Buffer.concat([Buffer.from(TYPES.string), escaped(Buffer.from(value)), END]);
}

/** Of each member of an array, else of the value itself; none twice. @throws InvalidArgumentError for more members than an index has of one record */
export function valueKeys(field: string, value: unknown): Buffer[] {
  const keys = keysOf(value);
  if (keys.length <= MAX_MEMBERS) return keys;
  throw new InvalidArgumentError(field, `at most ${MAX_MEMBERS} members of an array that is in an index`, keys.length);
}

/** As `valueKeys`, of what is stored: where there are too many, it is in no index. */
export function storedKeys(value: unknown): Buffer[] {
  const keys = keysOf(value);
  return keys.length <= MAX_MEMBERS ? keys : [];
}

function keysOf(value: unknown): Buffer[] {
  if (!Array.isArray(value)) {
    const key = valueKey(value);
    return key === undefined ? [] : [key];
  }
  const keys = new Map<string, Buffer>();
  for (const member of value) {
    const key = valueKey(member);
    if (key !== undefined) keys.set(key.toString("latin1"), key);
  }
  return [...keys.values()];
}

export function isNull(key: Buffer): boolean {
  return key[0] === TYPES.null.charCodeAt(0);
}

/** What an entry has of a whole key. */
export function cutKey(key: Buffer): Buffer {
  if (key[0] !== TYPES.string.charCodeAt(0) || key.length <= MAX_TEXT_BYTES + 2) return key;
  return Buffer.concat([key.subarray(0, cutAt(key)), END]);
}

export function entryOf(field: string, key: Buffer, id: string, token: string): Buffer {
  return Buffer.concat([headOf(field), cutKey(key), escaped(Buffer.from(id)), END, Buffer.from(token)]);
}

/** @returns undefined for what is no entry of ours */
export function readEntry(member: Buffer): (Entry & { readonly field: string; readonly value: Buffer }) | undefined {
  const fieldEnd = member.indexOf(0);
  if (fieldEnd <= 0) return undefined;
  const valueEnd = endOfValue(member, fieldEnd + 1);
  const idEnd = member.length - TOKEN_LENGTH - 1;
  if (valueEnd === -1 || idEnd <= valueEnd || member[idEnd] !== 0) return undefined;
  return {
    field: member.toString("utf8", 0, fieldEnd),
    key: member.subarray(0, valueEnd),
    value: member.subarray(fieldEnd + 1, valueEnd),
    id: unescaped(member.subarray(valueEnd, idEnd)).toString(),
    token: member.toString("latin1", idEnd + 1),
  };
}

/** Where the entries of this value and id begin, and where those after them do. */
export function placeOf({ key, id }: Pick<Entry, "key" | "id">): Range {
  const min = Buffer.concat([key, escaped(Buffer.from(id)), END]);
  return { min, max: Buffer.concat([min.subarray(0, -1), AFTER_TOKENS]) };
}

export const byBytes = (a: Buffer, b: Buffer): number => Buffer.compare(a, b);

export const after = (bytes: Buffer): Buffer => Buffer.concat([bytes, LAST]);

/** All keys of the type that this one has. */
export function typeRange(key: Buffer): Range {
  return { min: key.subarray(0, 1), max: Buffer.of(key[0]! + 1) };
}

/** All texts that begin so. */
export function prefixRange(prefix: string): Range {
  const min = Buffer.concat([Buffer.from(TYPES.string), escaped(Buffer.from(prefix))]);
  return { min, max: after(min) };
}

/** The entries of the keys of a range, and those of texts that are alike as far as an entry has them. */
function entriesOf(field: string, { min, max }: Range): Range {
  const head = headOf(field);
  const from = isCut(min) ? Buffer.concat([min.subarray(0, cutAt(min)), END]) : min;
  const to = isCut(max) ? Buffer.concat([max.subarray(0, cutAt(max)), END, LAST]) : max;
  return { min: Buffer.concat([head, from]), max: Buffer.concat([head, to]) };
}

/** The same of ranges that are in order and apart from each other: where their texts are alike as far as an entry has them, those overlap. */
export function entryRanges(field: string, ranges: readonly Range[]): Range[] {
  const apart: Range[] = [];
  for (const range of ranges) {
    const { min, max } = entriesOf(field, range);
    const before = apart.at(-1)?.max;
    const from = before !== undefined && byBytes(before, min) > 0 ? before : min;
    if (byBytes(from, max) < 0) apart.push({ min: from, max });
  }
  return apart;
}

function isCut(bound: Buffer): boolean {
  return bound[0] === TYPES.string.charCodeAt(0) && bound.length > MAX_TEXT_BYTES;
}

/** Not within an escape. */
function cutAt(key: Buffer): number {
  const at = Math.min(key.length, MAX_TEXT_BYTES + 1);
  return key[at - 1] === 0 ? at - 1 : at;
}

function ofNumber(type: string, number: number): Buffer {
  const bytes = Buffer.alloc(9, type);
  // Without -0, which equals 0.
  bytes.writeDoubleBE(number + 0, 1);
  if ((bytes[1]! & 0x80) === 0) bytes[1]! ^= 0x80;
  else for (let at = 1; at < 9; at += 1) bytes[at]! ^= 0xff;
  return bytes;
}

function endOfValue(member: Buffer, from: number): number {
  const type = String.fromCharCode(member[from] ?? 0);
  if (type === TYPES.null) return from + 1;
  if (type === TYPES.boolean) return from + 2;
  if (type === TYPES.number || type === TYPES.date) return from + 9;
  if (type !== TYPES.string) return -1;
  let at = from;
  do at = member.indexOf(0, at + 1);
  while (at !== -1 && member[at + 1] === 0xff);
  return at === -1 ? -1 : at + 1;
}

function escaped(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes;
  const parts: number[] = [];
  for (const byte of bytes) parts.push(...(byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from(parts);
}

function unescaped(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes;
  return Buffer.from(bytes.filter((byte, at) => byte !== 0xff || bytes[at - 1] !== 0));
}
