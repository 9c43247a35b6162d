/** What a call's options ask for, checked at the door in the name of the cache. */
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { parseOptions } from "../base/options.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { tagsOf } from "./load.ts";
import { mannerOf, type ReadManner } from "./manner.ts";
import {
  type CacheClearOptions,
  type CacheEntryOptions,
  type CacheGetOptions,
  type CacheGetOrSetOptions,
  type CacheInvalidateOptions,
  type CacheKeysOptions,
  type CacheSetOptions,
  type CacheTouchOptions,
  type CacheWriteOptions,
  PREFIX_OPTIONS,
  ENTRY_OPTIONS,
  GET_OPTIONS,
  GET_OR_SET_OPTIONS,
  INVALIDATE_OPTIONS,
  SET_OPTIONS,
  TTL_OPTIONS,
} from "./options.ts";
import type { ReadTerms } from "./read.ts";
import { type CacheTtl, ttlToMs } from "./ttl.ts";

/** Tags of one `invalidate`. */
const MAX_INVALIDATED = 1_000;
const MAX_PREFIX_LENGTH = 256;

/** What a call says about the entry that it stores; undefined: the cache's. */
export type EntryTerms = Pick<ReadTerms, "ttlMs" | "tags">;

export interface SetTerms extends EntryTerms {
  readonly only: "absent" | "present" | undefined;
}

/** @param where the cache as messages name it */
export function readTerms(where: string, options: CacheGetOrSetOptions): ReadTerms {
  return parseOptions(where, options, GET_OR_SET_OPTIONS, ({ ttl, tags, refresh = false, signal, l1, server }) => {
    checkSignal(signal);
    if (typeof refresh !== "boolean") throw new InvalidArgumentError("refresh", "a boolean", refresh);
    return { ...entryOf(ttl, tags), refresh, signal, manner: mannerOf({ l1, server }) };
  });
}

/** How `get` reads. */
export function getManner(where: string, options: CacheGetOptions | undefined): ReadManner | undefined {
  return options === undefined ? undefined : parseOptions(where, options, GET_OPTIONS, mannerOf);
}

export function setTerms(where: string, options: CacheSetOptions | undefined): SetTerms {
  return parseOptions(where, options, SET_OPTIONS, ({ ttl, tags, only }) => {
    if (only !== undefined && only !== "absent" && only !== "present")
      throw new InvalidArgumentError("only", '"absent" or "present"', only);
    return { ...entryOf(ttl, tags), only };
  });
}

export function entryTerms(where: string, options: CacheEntryOptions | undefined): EntryTerms {
  return parseOptions(where, options, ENTRY_OPTIONS, ({ ttl, tags }) => entryOf(ttl, tags));
}

/** The ttl of a call that takes no other option; undefined: the cache's. */
export function ttlTerms(
  where: string,
  options: CacheTouchOptions | CacheWriteOptions | undefined,
): number | undefined {
  return parseOptions(where, options, TTL_OPTIONS, ({ ttl }) => ttlOf(ttl));
}

export function invalidatedTags(where: string, options: CacheInvalidateOptions): readonly string[] {
  return parseOptions(where, options, INVALIDATE_OPTIONS, ({ tags }) => tagsOf("tags", tags, MAX_INVALIDATED));
}

/** Undefined: all. */
export function prefixOf(where: string, options: CacheClearOptions | CacheKeysOptions | undefined): string | undefined {
  return parseOptions(where, options, PREFIX_OPTIONS, ({ prefix }) =>
    prefix === undefined ? undefined : checkText("prefix", prefix, MAX_PREFIX_LENGTH),
  );
}

function entryOf(ttl: CacheTtl | undefined, tags: Iterable<string> | undefined): EntryTerms {
  return { ttlMs: ttlOf(ttl), tags: tags === undefined ? undefined : tagsOf("tags", tags) };
}

function ttlOf(ttl: CacheTtl | undefined): number | undefined {
  return ttl === undefined ? undefined : ttlToMs("ttl", ttl);
}
