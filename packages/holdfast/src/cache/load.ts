/** What a user gives a cache to load its entries. */
import type { Id } from "../core/keyspace/keyspace.ts";

export interface CacheLoadContext {
  readonly id: Id;
  /** Fires when the load has exceeded `loadTimeout`, and when the handle is closed. */
  readonly signal: AbortSignal;
}

export type CacheLoad<V> = (context: CacheLoadContext) => V | Promise<V>;

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
