/** What a user gives a cache to load its entries, and what it is given. */
import { InvalidArgumentError } from "../base/errors.ts";
import { listOf } from "../base/options.ts";
import { checkText, type Id } from "../core/keyspace/keyspace.ts";
import { type CacheTtl, ttlToMs } from "./ttl.ts";

/** What a loader returns to say that the entry that it was given (`previous`, `etag`) is still right. */
export const NOT_MODIFIED: unique symbol = Symbol("not modified");
export type NotModified = typeof NOT_MODIFIED;

/** What a write that waits for the database has, instead of what a loader would return. */
export class Pending {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

const MAX_TAGS = 100;
const MAX_TAG_LENGTH = 256;
const MAX_ETAG_LENGTH = 1_024;

export interface CacheLoadContext<V = unknown> {
  readonly id: Id;
  /** Fires when the load has exceeded `loadTimeout`, and when the handle is closed. */
  readonly signal: AbortSignal;
  /** For how long what is loaded is served, if it is set here: instead of the call's `ttl` or the cache's. */
  ttl: CacheTtl | undefined;
  /** Its tags: the call's, until they are set here. */
  tags: readonly string[];
  /** What the source calls this version of the value: that of the previous one, until it is set here. */
  etag: string | undefined;
  /** The value that is past its time, or to be replaced, where there is one. */
  readonly previous: V | undefined;
  /** Keeps the value out of the cache: it is returned to those who wait for it. */
  skip(): void;
  /** To be returned instead of a value: the previous one is served for another `ttl`, and not sent again. */
  notModified(): NotModified;
}

export type CacheLoad<R, V = unknown> = (context: CacheLoadContext<V>) => R | NotModified | Promise<R | NotModified>;

export interface CacheLoadManyContext {
  /** Fires when none of these loads is waited for any more: each has exceeded `loadTimeout`, or the handle is closed. */
  readonly signal: AbortSignal;
}

/**
 * Loads the entries of these ids. An id that the Map lacks has no value; one whose value is an Error has failed, and the others have not.
 */
export type CacheLoadMany<V> = (
  ids: readonly Id[],
  context: CacheLoadManyContext,
) => ReadonlyMap<Id, V | Error> | Promise<ReadonlyMap<Id, V | Error>>;

/** What a load is begun with. */
export interface LoadTerms {
  readonly id: Id;
  readonly signal: AbortSignal;
  readonly tags: readonly string[] | undefined;
  readonly etag: string | undefined;
  /** Decodes the previous value; undefined where there is none. */
  readonly previous: () => unknown;
}

export class LoadContext implements CacheLoadContext {
  readonly id: Id;
  readonly signal: AbortSignal;
  ttl: CacheTtl | undefined;
  tags: readonly string[];
  etag: string | undefined;
  isSkipped = false;
  readonly #previous: () => unknown;

  constructor({ id, signal, tags = [], etag, previous }: LoadTerms) {
    this.id = id;
    this.signal = signal;
    this.tags = tags;
    this.etag = etag;
    this.#previous = previous;
  }

  get previous(): unknown {
    return this.#previous();
  }

  skip(): void {
    this.isSkipped = true;
  }

  notModified(): NotModified {
    return NOT_MODIFIED;
  }

  /** What the loader has set, checked; in milliseconds. */
  asked(): { readonly ttlMs: number | undefined; readonly tags: readonly string[]; readonly etag: string | undefined } {
    const { ttl, tags, etag } = this;
    if (etag !== undefined) checkText("etag", etag, MAX_ETAG_LENGTH);
    return { ttlMs: ttl === undefined ? undefined : ttlToMs("ttl", ttl), tags: tagsOf("tags", tags), etag };
  }
}

/** Each once. */
export function tagsOf(field: string, tags: Iterable<string>, max: number = MAX_TAGS): readonly string[] {
  const given = [...new Set(listOf(field, tags, "tags"))];
  if (given.length > max) throw new InvalidArgumentError(field, `at most ${max} tags`, given.length);
  for (const tag of given) checkText(field, tag, MAX_TAG_LENGTH);
  return given;
}
