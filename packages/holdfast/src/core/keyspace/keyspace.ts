/**
 * Key names: `prefix:kind:name:{tag}:part`. The builder puts the hash tag, so that keys which one script touches are
 * in the same slot, and nobody above writes braces. What a user chose (names, ids) is percent-escaped where it would end
 * the tag or a segment early, so two different ids never meet in one key.
 */
import { createHash } from "node:crypto";
import { InvalidArgumentError } from "../../base/errors.ts";

/** What names one entry of a primitive: a user id, an e-mail address, a number. */
export type Id = string | number;

const RESERVED_IN_TAG = /[%{}]/;
const RESERVED_IN_SEGMENT = /[%{}:]/;
/** No colon either: with the prefixes `hf` and `hf:cache` a key of the one could be a key of the other. */
const PREFIX = /^[^{}%:\s]{1,64}$/;
export const MAX_ID_LENGTH = 1024;
/** Of a longer one, where they are hashed: as long as a prefix may be. */
const KEPT_OF_LONG = 256;
/** What a user calls a kind whose keys are named otherwise. */
const NOUNS: Readonly<Record<string, string>> = {
  limit: "limiter",
  load: "cache",
  record: "records",
  request: "channel",
  session: "sessions",
  shard: "channel",
};

export class Keyspace {
  readonly prefix: string;

  constructor(prefix: string) {
    if (typeof prefix !== "string" || !PREFIX.test(prefix))
      throw new InvalidArgumentError(
        "prefix",
        "1 to 64 characters without spaces and { } % :, such as shop or shop.prod",
        prefix,
      );
    this.prefix = prefix;
  }

  /** Keys spread over all slots, one tag per entry: caches, counters, records. @param hashesLong whether ids may be longer than `MAX_ID_LENGTH` */
  entries(kind: string, name: string, hashesLong = false): EntryKeys {
    return new EntryKeys(`${this.prefix}:${kind}:${segment(checkName(kind, name))}:`, hashesLong);
  }

  /** All keys of the instance in one slot: a leaderboard, a tag index. Partitions after the first one are in slots of their own. */
  group(kind: string, name: string, partition = 0): GroupKeys {
    // No escaped name has a `%` before a `p`.
    const suffix = partition === 0 ? "" : `%p${partition}`;
    return new GroupKeys(`${this.prefix}:${kind}:{${escaped(checkName(kind, name))}${suffix}}`);
  }

  /** Name of a pub/sub channel. Channels are outside the database and its slots unless they are sharded. */
  channel(kind: string, name: string): string {
    return `${this.prefix}:${kind}:${name}`;
  }
}

export class EntryKeys {
  /** What every key of this space begins with, for SCAN and for invalidation. */
  readonly head: string;
  readonly #open: string;
  readonly #hashesLong: boolean;

  constructor(head: string, hashesLong = false) {
    this.head = head;
    this.#open = `${head}{`;
    this.#hashesLong = hashesLong;
  }

  /** The id as it stands in its key: a long one as its beginning and its hash. */
  nameOf(id: Id): string {
    const isLong = this.#hashesLong && typeof id === "string" && id.length > MAX_ID_LENGTH;
    return isLong && id.isWellFormed() ? hashed(id) : checkId("id", id);
  }

  key(id: Id): string {
    return `${this.#open}${escaped(this.nameOf(id))}}`;
  }

  /** One of the keys that an entry is spread over; the first is `key(id)`, the others are in slots of their own. */
  shard(id: Id, shard: number): string {
    // No escaped id has a `%` before a `p`.
    return shard === 0 ? this.key(id) : `${this.#open}${escaped(this.nameOf(id))}%p${shard}}`;
  }

  /** What the keys of all ids begin with that begin with `prefix`, and no others. */
  beginning(prefix: string): string {
    return `${this.#open}${escaped(prefix)}`;
  }

  /** A companion in the same slot as `key(id)`. */
  part(id: Id, part: string): string {
    return `${this.#open}${escaped(this.nameOf(id))}}:${part}`;
  }

  /** The id, as `nameOf` has it, whose key this is. */
  idOf(key: string): string {
    const id = key.slice(this.#open.length, -1);
    return id.includes("%") ? id.replace(/%(25|7B|7D)/g, unpercent) : id;
  }
}

export class GroupKeys {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  /** A companion in the same slot; what the user chose in it is passed as `id`. */
  part(part: string, id?: Id): string {
    return id === undefined ? `${this.key}:${part}` : `${this.key}:${part}:${checkId("id", id)}`;
  }
}

function escaped(text: string): string {
  return RESERVED_IN_TAG.test(text) ? text.replace(/[%{}]/g, percent) : text;
}

function segment(text: string): string {
  return RESERVED_IN_SEGMENT.test(text) ? text.replace(/[%{}:]/g, percent) : text;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Short, of no two ids the same, and still beginning as the id does, so that it is found by a prefix. */
function hashed(id: string): string {
  const isHalf = id.charCodeAt(KEPT_OF_LONG - 1) >= 0xd800 && id.charCodeAt(KEPT_OF_LONG - 1) < 0xdc00;
  return `${id.slice(0, KEPT_OF_LONG + (isHalf ? 1 : 0))}#${createHash("sha256").update(id).digest("base64url")}`;
}

function unpercent(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

/** The name of an instance: never a number, which would be an id or an option in the wrong place. */
function checkName(kind: string, name: string): string {
  if (isName(name, MAX_ID_LENGTH)) return name;
  const expected = `a non-empty, well-formed string of at most ${MAX_ID_LENGTH} characters`;
  throw new InvalidArgumentError(kind === "key" ? "group" : "name", expected, name, { where: NOUNS[kind] ?? kind });
}

/** A user's text that names something, refused by the field's name where two texts could become the same bytes. */
export function checkText(field: string, text: string, max: number): string {
  if (isName(text, max)) return text;
  throw new InvalidArgumentError(field, `a non-empty, well-formed string of at most ${max} characters`, text);
}

/** UTF-8 has no place for half a character: each would be sent as the same U+FFFD. */
function isName(text: unknown, max: number): text is string {
  return typeof text === "string" && text.length > 0 && text.length <= max && text.isWellFormed();
}

/** As `checkText`, for an id, which may be a number. */
export function checkId(field: string, id: Id): string {
  if (isName(id, MAX_ID_LENGTH)) return id;
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  throw new InvalidArgumentError(
    field,
    `a non-empty, well-formed string of at most ${MAX_ID_LENGTH} characters or a finite number`,
    id,
  );
}
