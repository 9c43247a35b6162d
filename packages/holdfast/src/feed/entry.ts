/** An activity as it is stored and named, and the places of entries. */
import { createHash } from "node:crypto";
import { CodecError, InvalidArgumentError } from "../base/errors.ts";
import type { Codec } from "../core/codec/codec.ts";

/** Where an entry is in any feed: newer ones first, and of one microsecond the greater id. */
export interface Place {
  readonly id: string;
  /** Microseconds since 1970. */
  readonly score: number;
}

/** An activity without what the user put in it. */
export interface ItemHead {
  readonly author: string;
  readonly score: number;
  readonly group: string | undefined;
  /** The named feeds that it was published to. */
  readonly to: readonly string[];
  /** Whether it is in its author's outbox. */
  readonly isFollowed: boolean;
}

export interface Item<T> extends ItemHead {
  readonly id: string;
  readonly activity: T;
}

/** Of sha-256, or of chance: 96 bits. In a listpack such an entry takes 29 bytes, without what that has in reserve. */
const ID_LENGTH = 16;
const GROUP_MARK = "@";
const US_PER_MS = 1_000;

export function idFor(author: string, id: string, at: number | undefined): string {
  return digest(JSON.stringify([author, id, at ?? null])).slice(0, ID_LENGTH);
}

/** @param bytes twelve random ones */
export function randomId(bytes: Buffer): string {
  return bytes.toString("base64url").slice(0, ID_LENGTH);
}

/** What stands for a group in a named feed. */
export function groupMember(group: string): string {
  return GROUP_MARK + digest(group).slice(0, ID_LENGTH - 1);
}

export function isGroup(id: string): boolean {
  return id.startsWith(GROUP_MARK);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Negative where `a` stands above `b`. */
export function compare(a: Place, b: Place): number {
  if (a.score !== b.score) return b.score - a.score;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}

export function atOf({ score }: Place): number {
  return Math.floor(score / US_PER_MS);
}

/** Never 0, as before the first entry of all. */
export function scoreOf(at: number): number {
  return Math.max(at * US_PER_MS, 1);
}

export function positionOf({ score, id }: Place): string {
  return `${score.toString(36)}.${id}`;
}

const POSITION = /^([0-9a-z]{1,11})\.([@\w-]{16})$/;

export function placeOf(field: string, position: string): Place {
  const [, score = "", id = ""] = (typeof position === "string" && POSITION.exec(position)) || [];
  const time = Number.parseInt(score, 36);
  if (Number.isSafeInteger(time)) return { score: time, id };
  throw new InvalidArgumentError(field, "the position of an entry, or the cursor of a page", position);
}

const HEAD_BYTES = 4;

/**
 * The length of the head, the head as JSON, and the activity as the codec has it.
 * @param call of chance, where an id may be repeated: the same activity at the same time by another call is not taken for this one's own
 */
export function encodeItem<T>(head: ItemHead, id: string, activity: T, codec: Codec<T>, call?: string): Buffer {
  const { author, score, group, to, isFollowed } = head;
  const text = JSON.stringify({
    a: author,
    s: score,
    g: group,
    t: to.length === 0 ? undefined : to,
    n: !isFollowed || undefined,
    c: call,
  });
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length);
  bytes.writeUInt32BE(length);
  bytes.write(text, HEAD_BYTES);
  return Buffer.concat([bytes, codec.encode(activity, { aad: id })]);
}

/** Also of one that was erased. */
export function headOf(bytes: Buffer): ItemHead {
  return splitItem(isErased(bytes) ? bytes.subarray(HEAD_BYTES) : bytes).head;
}

/** As erase.lua leaves it. */
export function isErased(bytes: Buffer): boolean {
  return bytes.length >= HEAD_BYTES && bytes.readUInt32BE() === 0;
}

export function decodeItem<T>(id: string, bytes: Buffer, codec: Codec<T>): Item<T> {
  const { head, payload } = splitItem(bytes);
  return { ...head, id, activity: codec.decode(payload, { aad: id }) };
}

function splitItem(bytes: Buffer): { readonly head: ItemHead; readonly payload: Buffer } {
  const length = bytes.length < HEAD_BYTES ? -1 : bytes.readUInt32BE();
  const end = HEAD_BYTES + length;
  if (length < 0 || end > bytes.length) throw new CodecError("truncated", "the stored activity is cut off");
  const parsed = parse(bytes.toString("utf8", HEAD_BYTES, end));
  const { a: author, s: score, g: group, t: to = [], n } = parsed;
  if (typeof author !== "string" || typeof score !== "number")
    throw new CodecError("corrupt", "the stored activity has no author or no time");
  return { head: { author, score, group, to, isFollowed: n !== true }, payload: bytes.subarray(end) };
}

interface StoredHead {
  readonly a?: unknown;
  readonly s?: unknown;
  readonly g?: string;
  readonly t?: readonly string[];
  readonly n?: boolean;
}

function parse(text: string): StoredHead {
  try {
    return JSON.parse(text) as StoredHead;
  } catch {
    throw new CodecError("corrupt", "the head of the stored activity is no JSON");
  }
}
